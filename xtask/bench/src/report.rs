//! What the runs showed, as a table, and whether every bar is met.

use std::fmt;
use std::time::Duration;

use serde_json::json;

use crate::run::{Figures, Losses, median};
use crate::scenario::Scenario;

/// Bars that hold for every scenario, from the project's own requirements.
pub(crate) const PEAK_MIB: f64 = 48.0;
const IDLE_MIB: f64 = 8.0;
const START_MS_OVER_FLOOR: f64 = 3.0;

/// The pairs of one scenario, and its loss run.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) scenario: &'static Scenario,
    /// Floor and agent, run one after the other.
    pub(crate) pairs: Vec<(Figures, Figures)>,
    /// With SIGTERM in the middle of the load.
    pub(crate) midway: Option<Losses>,
}

/// Start-up and idle memory.
#[derive(Debug)]
pub(crate) struct AtRest {
    pub(crate) floor_starts: Vec<Duration>,
    pub(crate) agent_starts: Vec<Duration>,
    pub(crate) floor_idle_mib: f64,
    pub(crate) agent_idle_mib: f64,
}

/// Whether one requirement is met.
#[derive(Debug)]
pub(crate) struct Verdict {
    what: String,
    found: String,
    bar: String,
    pub(crate) met: bool,
}

impl Verdict {
    pub(crate) fn at_most(what: impl Into<String>, found: f64, bar: f64, unit: &str) -> Self {
        let (found_text, bar_text) = (format!("{found:.2}{unit}"), format!("at most {bar}{unit}"));
        Self { what: what.into(), found: found_text, bar: bar_text, met: found <= bar }
    }

    /// An interval within the bar on both sides of zero.
    pub(crate) fn within(what: impl Into<String>, found: (f64, f64), bar: f64, unit: &str) -> Self {
        let (low, high) = found;
        Self {
            what: what.into(),
            found: format!("{low:.3} to {high:.3}{unit}"),
            bar: format!("within ±{bar}{unit}"),
            met: low >= -bar && high <= bar,
        }
    }

    /// Nothing missing, doubled, damaged or counted wrongly, and a clean end.
    pub(crate) fn no_loss(what: impl Into<String>, losses: Losses) -> Self {
        let Losses { missing, doubled, damaged, miscounted, bad_exits } = losses;
        let mut found = format!("{missing} missing, {doubled} doubled, {damaged} damaged, ");
        if miscounted > 0 {
            found += &format!("{miscounted} miscounted, ");
        }
        Self {
            what: what.into(),
            found: format!("{found}{bad_exits} bad ends"),
            bar: "none".to_owned(),
            met: losses == Losses::default(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.met { "met " } else { "MISS" };
        write!(f, "{mark}  {:<52} {:<48} {}", self.what, self.found, self.bar)
    }
}

impl Measured {
    /// The median of the pairs' ratios of processor time per span.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.ratios())
    }

    fn ratios(&self) -> impl Iterator<Item = f64> {
        self.pairs.iter().map(|(floor, agent)| agent.cpu_us_per_span / floor.cpu_us_per_span)
    }

    fn agent(&self, figure: impl Fn(&Figures) -> f64) -> f64 {
        median(self.pairs.iter().map(|(_, agent)| figure(agent)))
    }

    fn peak_mib(&self) -> f64 {
        self.pairs.iter().map(|(_, agent)| agent.peak_mib).fold(0.0, f64::max)
    }

    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let title = self.scenario.title;
        let losses = self.pairs.iter().map(|(_, agent)| agent.losses);
        let losses = losses.fold(Losses::default(), Losses::and);
        let mut verdicts = vec![
            Verdict::at_most(format!("{title}: ratio"), self.ratio(), self.scenario.bar, "x"),
            Verdict::at_most(format!("{title}: peak memory"), self.peak_mib(), PEAK_MIB, " MiB"),
            Verdict::no_loss(format!("{title}: under the flood"), losses),
        ];
        if let Some(losses) = self.midway {
            verdicts.push(Verdict::no_loss(format!("{title}: SIGTERM midway"), losses));
        }
        verdicts
    }
}

impl AtRest {
    /// Floor and agent, in milliseconds.
    fn starts_ms(&self) -> (f64, f64) {
        let ms = |starts: &[Duration]| median(starts.iter().map(|start| start.as_secs_f64() * 1e3));
        (ms(&self.floor_starts), ms(&self.agent_starts))
    }

    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let (floor, agent) = self.starts_ms();
        let later = agent - floor;
        vec![
            Verdict::at_most("listening later than the floor", later, START_MS_OVER_FLOOR, " ms"),
            Verdict::at_most("memory when idle", self.agent_idle_mib, IDLE_MIB, " MiB"),
        ]
    }
}

/// The table of all scenarios.
pub(crate) fn table(measured: &[Measured]) -> String {
    let mut lines = vec![format!(
        "{:<32} {:>8} {:>8} {:>7} {:>13} {:>10} {:>9} {:>9} {:>7} {:>6} {:>8} {:>8}",
        "pipeline",
        "floor",
        "agent",
        "ratio",
        "(least-most)",
        "spans/s",
        "p50 ms",
        "p99 ms",
        "MiB",
        "B/span",
        "missing",
        "doubled"
    )];
    for one in measured {
        let floor = median(one.pairs.iter().map(|(floor, _)| floor.cpu_us_per_span));
        let (least, most) = one
            .ratios()
            .fold((f64::MAX, 0.0_f64), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
        let losses = one.pairs.iter().map(|(_, agent)| agent.losses).chain(one.midway);
        let losses = losses.fold(Losses::default(), Losses::and);
        lines.push(format!(
            "{:<32} {floor:>8.3} {:>8.3} {:>6.2}x {:>13} {:>10.0} {:>9.2} {:>9.2} {:>7.1} {:>6.0} {:>8} {:>8}",
            one.scenario.title,
            one.agent(|figures| figures.cpu_us_per_span),
            one.ratio(),
            format!("{least:.2}-{most:.2}"),
            one.agent(|figures| figures.spans_per_second),
            one.agent(|figures| figures.p50.as_secs_f64() * 1e3),
            one.agent(|figures| figures.p99.as_secs_f64() * 1e3),
            one.peak_mib(),
            one.agent(|figures| figures.bytes_per_span),
            losses.missing,
            losses.doubled,
        ));
    }
    lines.join("\n")
}

/// Start-up and idle memory as a line.
pub(crate) fn at_rest_line(at_rest: &AtRest) -> String {
    let (floor, agent) = at_rest.starts_ms();
    format!(
        "start to listening: floor {floor:.2} ms, agent {agent:.2} ms (median of {})\n\
         idle: floor {:.1} MiB, agent {:.1} MiB",
        at_rest.agent_starts.len(),
        at_rest.floor_idle_mib,
        at_rest.agent_idle_mib
    )
}

/// One run as a line of JSON.
pub(crate) fn json_line(key: &str, subject: &str, figures: &Figures) -> String {
    json!({
        "scenario": key,
        "subject": subject,
        "cpu_us_per_span": figures.cpu_us_per_span,
        "spans_per_second": figures.spans_per_second,
        "peak_mib": figures.peak_mib,
        "p50_ms": figures.p50.as_secs_f64() * 1e3,
        "p99_ms": figures.p99.as_secs_f64() * 1e3,
        "bytes_per_span": figures.bytes_per_span,
        "acknowledged": figures.acknowledged,
        "refused": figures.refused,
        "missing": figures.losses.missing,
        "doubled": figures.losses.doubled,
        "damaged": figures.losses.damaged,
        "miscounted": figures.losses.miscounted,
    })
    .to_string()
}
