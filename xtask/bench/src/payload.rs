//! Requests that look like a web service's: one resource of eight attributes, one scope, and traces of eight spans each
//! (server, database, HTTP client, messaging, internal) with five to eight attributes, an exception on every tenth.
//!
//! A request is encoded once; each copy that is sent gets its own span ids written over the template's, and parent ids with
//! them, so that every span of a run is unique and a compressor sees what it would see from a service.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ids;

/// An encoded `ExportTraceServiceRequest` and the places of its span ids.
pub(crate) struct Template {
    bytes: Vec<u8>,
    /// Per span: where its id stands.
    ids: Vec<usize>,
    /// Where a parent's id stands, and the position of that parent among the spans.
    parents: Vec<(usize, usize)>,
}

impl Template {
    /// Encodes a request of `spans` spans; equal seeds give equal requests but for the clock.
    pub(crate) fn new(spans: usize, seed: u64) -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut trace = Trace {
            random: fastrand::Rng::with_seed(seed),
            now_nanos: clock.as_nanos() as u64,
            id: [0; 16],
            parent: None,
        };
        let mut out = Writer::default();
        out.message(1, |resource_spans| {
            resource_spans.message(1, |resource| write_resource(resource, seed));
            resource_spans.message(2, |scope_spans| {
                scope_spans.message(1, |scope| {
                    scope
                        .bytes(1, b"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp");
                    scope.bytes(2, b"0.62.0");
                });
                for position in 0..spans {
                    scope_spans.message(2, |span| trace.write_span(span, position));
                }
            });
        });
        Self { bytes: out.bytes, ids: out.ids, parents: out.parents }
    }

    /// The number of encoded bytes, which is the same for every copy.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a copy whose spans bear the ids of the numbers from `first` on.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>, run: u16, first: u64) {
        let base = out.len();
        out.extend_from_slice(&self.bytes);
        let mut write = |at: usize, number: u64| {
            if let Some(place) = out.get_mut(base + at..base + at + 8) {
                place.copy_from_slice(&ids::span_id(run, number));
            }
        };
        for (position, at) in self.ids.iter().enumerate() {
            write(*at, first + position as u64);
        }
        for (at, position) in &self.parents {
            write(*at, first + *position as u64);
        }
    }
}

/// Whether APM stats count the span at this position of a request: an internal span does not count, unless nothing of its service called it. Those of
/// [`Trace::write_span`] all have a parent in their request.
pub(crate) fn counts_in_stats(position: u64) -> bool {
    !matches!(Work::of(position), Work::Internal)
}

fn write_resource(resource: &mut Writer, seed: u64) {
    let services = ["checkout", "cart", "catalog", "payment"];
    let service = services.get((seed % 4) as usize).copied().unwrap_or("checkout");
    resource.text(1, "service.name", service);
    resource.text(1, "service.version", "2.14.3");
    resource.text(1, "deployment.environment.name", "production");
    resource.text(1, "cloud.provider", "aws");
    resource.text(1, "cloud.platform", "aws_ecs");
    resource.text(1, "cloud.region", "ap-northeast-1");
    resource.text(1, "telemetry.sdk.language", "go");
    resource.text(1, "host.name", "ip-10-0-13-27.ap-northeast-1.compute.internal");
}

/// What the spans of one trace share while they are written.
struct Trace {
    random: fastrand::Rng,
    now_nanos: u64,
    id: [u8; 16],
    /// The position of the span that the next ones are children of.
    parent: Option<usize>,
}

#[derive(Clone, Copy)]
enum Work {
    Server,
    Database,
    Client,
    Messaging(u64),
    Internal,
}

impl Trace {
    fn write_span(&mut self, span: &mut Writer, position: usize) {
        let root = position.is_multiple_of(8);
        if root {
            self.id = self.random.u128(..).to_be_bytes();
            self.parent = None;
        }
        let work = Work::of(position as u64);
        let start = self.now_nanos - self.random.u64(1_000_000..900_000_000);
        span.bytes(1, &self.id);
        span.span_id(position);
        if let Some(parent) = self.parent {
            span.parent_id(parent);
        }
        span.bytes(5, work.name().as_bytes());
        span.varint_field(6, work.kind());
        span.fixed64(7, start);
        span.fixed64(8, start + self.random.u64(10_000..200_000_000));
        self.write_attributes(span, work);
        if position % 10 == 9 {
            write_failure(span, start);
        }
        span.tag(16, 5);
        span.bytes.extend_from_slice(&0x101_u32.to_le_bytes());
        if root || position.is_multiple_of(3) {
            self.parent = Some(position);
        }
    }

    fn write_attributes(&mut self, span: &mut Writer, work: Work) {
        let random = &mut self.random;
        match work {
            Work::Server => {
                let shelf = random.u32(1..99_999);
                span.text(9, "http.request.method", "GET");
                span.text(9, "http.route", "/api/v1/shelves/{shelf_id}/books");
                span.text(9, "url.path", &format!("/api/v1/shelves/{shelf}/books"));
                span.text(9, "url.scheme", "https");
                let status = if random.u8(..) < 5 { 503 } else { 200 };
                span.integer(9, "http.response.status_code", status);
                span.text(9, "server.address", "api.example.jp");
                span.text(9, "client.address", &format!("203.0.113.{}", random.u8(1..254)));
                span.text(
                    9,
                    "user_agent.original",
                    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
                );
            }
            Work::Database => {
                let shelf = random.u32(1..99_999);
                span.text(9, "db.system.name", "mysql");
                span.text(9, "db.namespace", "library");
                span.text(9, "db.operation.name", "SELECT");
                let query = format!(
                    "SELECT id, title, author FROM books WHERE shelf_id = {shelf} \
                     ORDER BY title LIMIT 50"
                );
                span.text(9, "db.query.text", &query);
                let address = "aurora-cluster.cluster-abcdefghijkl.ap-northeast-1.rds.example.com";
                span.text(9, "server.address", address);
                span.integer(9, "server.port", 3306);
            }
            Work::Client => {
                let job = random.u32(1..999_999);
                span.text(9, "http.request.method", "POST");
                span.text(9, "url.full", &format!("https://lending.internal.example.jp/v2/{job}"));
                span.integer(9, "http.response.status_code", 202);
                span.text(9, "server.address", "lending.internal.example.jp");
                span.integer(9, "server.port", 443);
                span.text(9, "network.protocol.version", "2");
            }
            Work::Messaging(_) => {
                span.text(9, "messaging.system", "aws_sqs");
                span.text(9, "messaging.destination.name", "lending-events");
                span.text(9, "messaging.operation.type", "send");
                span.text(9, "messaging.message.id", &format!("{:032x}", random.u128(..)));
                span.text(9, "aws.request_id", &format!("{:016x}", random.u64(..)));
            }
            Work::Internal => {
                span.text(9, "code.function.name", "books.List.Render");
                span.text(9, "code.file.path", "internal/books/list.go");
                span.integer(9, "code.line.number", 118);
                span.text(9, "app.template", "books/list");
                span.integer(9, "app.rows", random.u64(1..500));
            }
        }
    }
}

impl Work {
    fn of(position: u64) -> Self {
        match position % 8 {
            0 => Self::Server,
            1 | 5 => Self::Database,
            3 => Self::Client,
            6 => Self::Messaging(4),
            7 => Self::Messaging(5),
            _ => Self::Internal,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Server => "GET /api/v1/shelves/{shelf_id}/books",
            Self::Database => "SELECT library.books",
            Self::Client => "POST",
            Self::Messaging(_) => "publish lending-events",
            Self::Internal => "render book list",
        }
    }

    /// The value of `SpanKind` in `opentelemetry/proto/trace/v1/trace.proto`.
    fn kind(self) -> u64 {
        match self {
            Self::Internal => 1,
            Self::Server => 2,
            Self::Database | Self::Client => 3,
            Self::Messaging(kind) => kind,
        }
    }
}

fn write_failure(span: &mut Writer, start: u64) {
    span.message(11, |event| {
        event.fixed64(1, start + 1000);
        event.bytes(2, b"exception");
        event.text(3, "exception.type", "*mysql.MySQLError");
        event.text(
            3,
            "exception.message",
            "Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction",
        );
        event.text(
            3,
            "exception.stacktrace",
            "books.(*Repo).List\n\t/app/internal/books/repo.go:88\n\
             books.(*Handler).ServeHTTP\n\t/app/internal/books/handler.go:41\n",
        );
    });
    span.message(15, |status| {
        status.bytes(2, b"lock wait timeout");
        status.varint_field(3, 2);
    });
}

/// A protobuf encoder that remembers where span ids stand.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    parents: Vec<(usize, usize)>,
}

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn tag(&mut self, field: u64, wire_type: u64) {
        self.varint((field << 3) | wire_type);
    }

    fn varint_field(&mut self, field: u64, value: u64) {
        self.tag(field, 0);
        self.varint(value);
    }

    fn fixed64(&mut self, field: u64, value: u64) {
        self.tag(field, 1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.tag(field, 2);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.bytes);
        let base = self.bytes.len() - inner.bytes.len();
        self.ids.extend(inner.ids.into_iter().map(|at| base + at));
        self.parents.extend(inner.parents.into_iter().map(|(at, span)| (base + at, span)));
    }

    fn text(&mut self, field: u64, key: &str, value: &str) {
        self.message(field, |attribute| {
            attribute.bytes(1, key.as_bytes());
            attribute.message(2, |any| any.bytes(1, value.as_bytes()));
        });
    }

    fn integer(&mut self, field: u64, key: &str, value: u64) {
        self.message(field, |attribute| {
            attribute.bytes(1, key.as_bytes());
            attribute.message(2, |any| any.varint_field(3, value));
        });
    }

    fn span_id(&mut self, position: usize) {
        self.bytes(2, &(position as u64).to_be_bytes());
        self.ids.push(self.bytes.len() - 8);
    }

    fn parent_id(&mut self, position: usize) {
        self.bytes(4, &(position as u64).to_be_bytes());
        self.parents.push((self.bytes.len() - 8, position));
    }
}

#[cfg(test)]
mod tests;
