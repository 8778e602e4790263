//! What invocations cost: the response's latency, and the time behind it that is billed.

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::environment::{Environment, Program};
use super::{HELD_P99_MS, LATENCY_MS, Options};
use crate::ids::NumberSet;
use crate::payload::Template;
use crate::report::Verdict;
use crate::run::{Bench, Losses, median, quantile};

/// How long the backend takes to answer.
const BACKEND: Duration = Duration::from_millis(20);

/// Spans of one invocation.
const SPANS: usize = 10;

/// Invocations until everything is warm.
const WARM_UP: usize = 20;

/// How old data may become, as `HIKYAKU_FLUSH_MAX_AGE` has it.
const AGE_MAX: Duration = Duration::from_secs(10);

/// The handler's own work.
const WORK: Duration = Duration::from_millis(5);

/// From `platform.runtimeDone` to next, warm and with the default strategy, while everything arrives in time.
pub(super) async fn held(
    bench: &mut Bench,
    options: &Options,
) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let run = bench.next_run();
    bench.sink.answer_after(BACKEND);
    bench.sink.note_times(true);
    let (program, port) = extension(bench, options)?;
    let mut environment = Environment::start(bench, &program).await?;
    let mut function = Function::new(port, run).await?;
    let mut held = Vec::new();
    let mut sent_at = Vec::new();
    for number in 0..options.invocations + WARM_UP {
        let begun = Instant::now();
        let id = environment.begin().await?;
        tokio::time::sleep(WORK).await;
        sent_at.push(Instant::now());
        function.send().await?;
        let time = environment.finish(&id).await?;
        if number >= WARM_UP {
            held.push(time);
        }
        tokio::time::sleep(options.gap.saturating_sub(begun.elapsed())).await;
    }
    environment.end().await?;
    let delivery = bench.sink.take();
    bench.sink.note_times(false);
    held.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (middle, high) = (quantile(&held, 0.5), quantile(&held, 0.99));
    let ages = delivery.times.iter().filter_map(|(span, at)| {
        let sent = sent_at.get(usize::try_from(*span).ok()? / SPANS)?;
        Some(at.saturating_duration_since(*sent))
    });
    let oldest = ages.max().unwrap_or_default();
    println!(
        "runtimeDone to next: p50 {:.2} ms, p99 {:.2} ms; {} requests of {} invocations, oldest item {:.0} ms",
        ms(middle),
        ms(high),
        delivery.requests,
        sent_at.len(),
        ms(oldest)
    );
    let losses = Losses {
        missing: function.acknowledged.missing_from(&delivery.spans),
        doubled: delivery.spans.doubled(),
        damaged: delivery.foreign + delivery.unreadable,
        ..Losses::default()
    };
    Ok(vec![
        Verdict::at_most("runtimeDone to next, p99", ms(high), HELD_P99_MS, " ms"),
        Verdict::at_most(
            "age of the oldest item",
            oldest.as_secs_f64(),
            AGE_MAX.as_secs_f64(),
            " s",
        ),
        Verdict::no_loss("invocations with a backend of 20 ms", losses),
    ])
}

/// What a function that sends waits for, with the extension and with a floor that answers at once.
pub(super) async fn latency(
    bench: &mut Bench,
    options: &Options,
) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let run = bench.next_run();
    bench.sink.answer_after(BACKEND);
    let (program, port) = extension(bench, options)?;
    let floor_port = bench.ports()?.http;
    let floor = Program::new("floor", &options.floor).with_argument(floor_port.to_string());
    let mut floor = Environment::start(bench, &floor).await?;
    let mut extension = Environment::start(bench, &program).await?;
    let mut to_floor = Function::new(floor_port, run).await?;
    let mut to_extension = Function::new(port, run).await?;
    let mut pairs = Vec::new();
    for pair in 0..options.pairs + WARM_UP {
        let (base, with) = if pair % 2 == 0 {
            let base = response(&mut floor, &mut to_floor).await?;
            (base, response(&mut extension, &mut to_extension).await?)
        } else {
            let with = response(&mut extension, &mut to_extension).await?;
            (response(&mut floor, &mut to_floor).await?, with)
        };
        if pair >= WARM_UP {
            pairs.push((base.as_secs_f64() * 1e3, with.as_secs_f64() * 1e3));
        }
    }
    floor.end().await?;
    extension.end().await?;
    bench.sink.take();
    bench.sink.answer_after(Duration::ZERO);
    let mut differences: Vec<f64> = pairs.iter().map(|(base, with)| with - base).collect();
    differences.sort_unstable_by(f64::total_cmp);
    let (low, high) = median_interval(&differences);
    println!(
        "response: floor {:.3} ms, extension {:.3} ms, median difference {:.3} ms (95 %: {low:.3} to {high:.3})",
        median(pairs.iter().map(|(base, _)| *base)),
        median(pairs.iter().map(|(_, with)| *with)),
        median(differences.iter().copied()),
    );
    Ok(vec![Verdict::within("latency added to a response", (low, high), LATENCY_MS, " ms")])
}

/// From the invocation's begin to its response: the handler's own work, and what it hands to the extension.
async fn response(
    environment: &mut Environment,
    function: &mut Function,
) -> Result<Duration, Box<dyn Error>> {
    function.sender.ready().await?;
    let begun = Instant::now();
    let id = environment.begin().await?;
    // The extension takes note of the invocation meanwhile, as it would beside a handler.
    while begun.elapsed() < WORK / 5 {
        std::hint::spin_loop();
    }
    function.send().await?;
    let time = begun.elapsed();
    if environment.is_told() {
        environment.finish(&id).await?;
    } else {
        environment.platform.next_called().await?;
    }
    Ok(time)
}

/// The extension with one exporter, and the port that the function sends to.
fn extension(bench: &Bench, options: &Options) -> Result<(Program, u16), Box<dyn Error>> {
    let ports = bench.ports()?;
    let (grpc, http, sink) = (ports.grpc, ports.http, ports.sink);
    let yaml = format!(
        "receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: \"127.0.0.1:{grpc}\" }}, http: {{ endpoint: \"127.0.0.1:{http}\" }} }} }}
exporters:
  otlphttp: {{ endpoint: \"http://127.0.0.1:{sink}\" }}
service:
  pipelines: {{ traces: {{ receivers: [otlp], exporters: [otlphttp] }} }}
"
    );
    Ok((Program::new("otlp", &options.extension).with_config(bench, &yaml)?, http))
}

/// The function's SDK: one connection that is kept, and an answer that is waited for.
struct Function {
    sender: SendRequest<Full<Bytes>>,
    template: Template,
    run: u16,
    next: u64,
    acknowledged: NumberSet,
}

impl Function {
    async fn new(port: u16, run: u16) -> Result<Self, Box<dyn Error>> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        let template = Template::new(SPANS, 1);
        Ok(Self { sender, template, run, next: 0, acknowledged: NumberSet::default() })
    }

    async fn send(&mut self) -> Result<(), Box<dyn Error>> {
        let mut body = Vec::with_capacity(self.template.len());
        self.template.append_to(&mut body, self.run, self.next);
        let request = Request::post("/v1/traces")
            .header("host", "localhost")
            .header("content-type", "application/x-protobuf")
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await;
        let response = response.map_err(|error| format!("no answer to the function: {error}"))?;
        if !response.status().is_success() {
            return Err(format!("the extension answered {}", response.status()).into());
        }
        response.into_body().collect().await?;
        self.acknowledged.insert_range(self.next, SPANS as u64);
        self.next += SPANS as u64;
        Ok(())
    }
}

/// An interval that holds the median of the population with 95 % confidence, by the ranks of sorted values.
fn median_interval(sorted: &[f64]) -> (f64, f64) {
    let count = sorted.len() as f64;
    let half = 0.98 * count.sqrt();
    let at = |rank: f64| {
        let last = sorted.len().saturating_sub(1);
        sorted.get((rank.max(0.0) as usize).min(last)).copied().unwrap_or_default()
    };
    (at((count / 2.0 - half).floor()), at((count / 2.0 + half).ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_median_is_around_it_and_narrows() {
        let values = |count: u32| (0..count).map(f64::from).collect::<Vec<_>>();
        assert_eq!(median_interval(&values(100)), (40.0, 60.0));
        let (low, high) = median_interval(&values(10_000));
        assert!(low > 4890.0 && high < 5110.0, "{low} {high}");
        assert_eq!(median_interval(&[]), (0.0, 0.0));
    }
}
