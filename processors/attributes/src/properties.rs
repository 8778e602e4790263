//! The properties that an item is matched by.

use confmap::{Decode, Section};
use pdata::Signal;
use pdata::text::to_text;
use pdata::view::{LogRecord, Metric, Resource, Scope, Span, SpanKind};

use crate::filter::{AttributeFilter, Filter, MatchType};

/// What a resource without a service name is called, as upstream.
const NO_SERVICE: &str = "<nil-service-name>";

const SPAN_KINDS: [&str; 5] = [
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_CONSUMER",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_SERVER",
];

/// The properties of one section. All that are given have to match; of a property's texts, one.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    services: Option<Filter>,
    span_names: Option<Filter>,
    span_kinds: Option<Filter>,
    log_bodies: Option<Filter>,
    log_severity_texts: Option<Filter>,
    log_severity_number: Option<SeverityNumber>,
    metric_names: Option<Filter>,
    attributes: Vec<AttributeFilter>,
    resources: Vec<AttributeFilter>,
    libraries: Vec<Library>,
}

#[derive(Clone, Copy, Debug)]
struct SeverityNumber {
    min: i32,
    match_undefined: bool,
}

/// An instrumentation scope.
#[derive(Debug)]
struct Library {
    name: Filter,
    /// Any version, if it is not given.
    version: Option<Filter>,
}

/// An item that properties can be asked of.
pub(crate) trait Matched {
    /// Whether it has them, those of its resource and scope apart.
    fn has(&self, properties: &Properties) -> bool;
}

impl Properties {
    /// Reads a section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let is_typed = section.is_set("match_type");
        let match_type = MatchType::read(&mut section);
        let mut regexp = section.section("regexp");
        for key in ["cacheenabled", "cachemaxnumentries"] {
            regexp.ignored(key, "matches are not cached");
        }
        regexp.finish();
        let mut reader = Reader { section, match_type, is_untyped: !is_typed };
        let this = Self {
            services: reader.texts("services"),
            span_names: reader.texts("span_names"),
            span_kinds: reader.texts("span_kinds"),
            log_bodies: reader.texts("log_bodies"),
            log_severity_texts: reader.texts("log_severity_texts"),
            log_severity_number: reader.severity_number(),
            metric_names: reader.texts("metric_names"),
            attributes: reader.attributes("attributes"),
            resources: reader.attributes("resources"),
            libraries: reader.libraries(),
        };
        let section = reader.section;
        if let Some(Filter::Strict(kinds)) = &this.span_kinds
            && kinds.iter().any(|kind| !SPAN_KINDS.contains(&kind.as_str()))
        {
            let all = SPAN_KINDS.join(" ");
            section.error("span_kinds", format!("span_kinds string must match one of the standard span kinds when match_type=strict: [{all}]"));
        }
        section.finish();
        this
    }

    /// Checks that the properties are ones of the signal, and that there is one.
    ///
    /// # Errors
    /// In the Collector's words.
    pub(crate) fn check(&self, signal: Signal) -> Result<(), &'static str> {
        let of_logs = [
            ("log_bodies should not be specified for trace spans", self.log_bodies.is_some()),
            (
                "log_severity_texts should not be specified for trace spans",
                self.log_severity_texts.is_some(),
            ),
            (
                "log_severity_number should not be specified for trace spans",
                self.log_severity_number.is_some(),
            ),
        ];
        let is_of_logs = of_logs.iter().any(|(_, is_set)| *is_set);
        let is_of_spans =
            self.services.is_some() || self.span_names.is_some() || self.span_kinds.is_some();
        let is_of_metrics = self.metric_names.is_some();
        let has_attributes = !self.attributes.is_empty() || !self.libraries.is_empty();
        let has_resources = !self.resources.is_empty();
        match signal {
            Signal::Traces => {
                if let Some((message, _)) = of_logs.iter().find(|(_, is_set)| *is_set) {
                    return Err(message);
                }
                if is_of_metrics {
                    return Err("metric_names should not be specified for trace spans");
                }
                if !is_of_spans && !has_attributes && !has_resources {
                    return Err(
                        "at least one of \"attributes\", \"libraries\",  or \"resources\" field must be specified",
                    );
                }
            }
            Signal::Logs => {
                if is_of_spans || is_of_metrics {
                    return Err(
                        "services, span_names, span_kinds and metric_names are not valid for log records",
                    );
                }
                if !is_of_logs && !has_attributes && !has_resources {
                    return Err(
                        "at least one of \"attributes\", \"libraries\", \"span_kinds\", \"resources\", \"log_bodies\", \"log_severity_texts\" or \"log_severity_number\" field must be specified",
                    );
                }
            }
            Signal::Metrics => {
                if is_of_logs || is_of_spans || has_attributes {
                    return Err(
                        "\"span_names\", \"span_kinds\", \"log_bodies\", \"log_severity_texts\", \"log_severity_number\", \"services\", \"attributes\" and \"libraries\" are not valid for metrics",
                    );
                }
                if !is_of_metrics && !has_resources {
                    return Err(
                        "at least one of \"metric_names\" or \"resources\" field must be specified",
                    );
                }
            }
        }
        Ok(())
    }

    /// Whether a resource has those that are of resources.
    pub(crate) fn has_resource(&self, resource: &Resource<'_>) -> bool {
        let service = || {
            let name = resource.attributes.get("service.name");
            name.map_or_else(|| NO_SERVICE.to_owned(), |name| to_text(&name))
        };
        self.services.as_ref().is_none_or(|services| services.matches(&service()))
            && self.resources.iter().all(|filter| filter.matches(&resource.attributes))
    }

    /// Whether a scope has those that are of scopes.
    pub(crate) fn has_scope(&self, scope: &Scope<'_>) -> bool {
        let is_it = |library: &Library| {
            library.name.matches(scope.name.as_str())
                && library.version.as_ref().is_none_or(|v| v.matches(scope.version.as_str()))
        };
        self.libraries.is_empty() || self.libraries.iter().any(is_it)
    }
}

impl Matched for Span<'_> {
    fn has(&self, properties: &Properties) -> bool {
        let kind = match self.kind {
            SpanKind::Unspecified => "SPAN_KIND_UNSPECIFIED",
            SpanKind::Internal => "SPAN_KIND_INTERNAL",
            SpanKind::Server => "SPAN_KIND_SERVER",
            SpanKind::Client => "SPAN_KIND_CLIENT",
            SpanKind::Producer => "SPAN_KIND_PRODUCER",
            SpanKind::Consumer => "SPAN_KIND_CONSUMER",
        };
        properties.span_names.as_ref().is_none_or(|names| names.matches(self.name.as_str()))
            && properties.span_kinds.as_ref().is_none_or(|kinds| kinds.matches(kind))
            && properties.attributes.iter().all(|filter| filter.matches(&self.attributes))
    }
}

impl Matched for LogRecord<'_> {
    fn has(&self, properties: &Properties) -> bool {
        let texts = &properties.log_severity_texts;
        let number = |filter: SeverityNumber| match self.severity_number {
            0 => filter.match_undefined,
            number => number >= filter.min,
        };
        properties.log_bodies.as_ref().is_none_or(|bodies| bodies.matches(&to_text(&self.body)))
            && texts.as_ref().is_none_or(|texts| texts.matches(self.severity_text.as_str()))
            && properties.log_severity_number.is_none_or(number)
            && properties.attributes.iter().all(|filter| filter.matches(&self.attributes))
    }
}

impl Matched for Metric<'_> {
    fn has(&self, properties: &Properties) -> bool {
        properties.metric_names.as_ref().is_none_or(|names| names.matches(self.name.as_str()))
    }
}

/// A section being read.
struct Reader<'a> {
    section: Section<'a>,
    match_type: Option<MatchType>,
    /// `match_type` is not there, which is yet to be reported.
    is_untyped: bool,
}

impl Reader<'_> {
    /// The filter under a key; none for an empty list.
    fn texts(&mut self, key: &'static str) -> Option<Filter> {
        let texts: Vec<String> = self.section.get(key)?;
        let item = self.section.item(key)?;
        if texts.is_empty() {
            return None;
        }
        Some(Filter::new(self.compared()?, texts, &item))
    }

    fn attributes(&mut self, key: &'static str) -> Vec<AttributeFilter> {
        let items = self.section.list(key);
        // Without a value there is nothing to compare.
        let is_compared = |item: &confmap::Item<'_>| {
            item.node().get("value").is_some_and(|value| !value.is_null())
        };
        let match_type =
            if items.iter().any(is_compared) { self.compared() } else { self.match_type };
        items.iter().filter_map(|item| AttributeFilter::read(match_type, item)).collect()
    }

    fn libraries(&mut self) -> Vec<Library> {
        let items = self.section.list("libraries");
        let mut libraries = Vec::new();
        for item in items {
            let mut section = item.section();
            let name: String = section.get("name").unwrap_or_default();
            let version: Option<String> = section.get::<Option<String>>("version").flatten();
            section.finish();
            if let Some(match_type) = self.compared() {
                let filter = |text| Filter::new(match_type, vec![text], &item);
                libraries.push(Library { name: filter(name), version: version.map(filter) });
            }
        }
        libraries
    }

    fn severity_number(&mut self) -> Option<SeverityNumber> {
        let item = self.section.item("log_severity_number");
        let mut section = item.filter(|item| !item.node().is_null())?.section();
        let severity = SeverityNumber {
            min: value(&mut section, "min"),
            match_undefined: value(&mut section, "match_undefined"),
        };
        section.finish();
        Some(severity)
    }

    /// How texts are compared. Reports, once, that it is not said.
    fn compared(&mut self) -> Option<MatchType> {
        if std::mem::take(&mut self.is_untyped) {
            self.section.error("match_type", MatchType::unrecognized(""));
        }
        self.match_type
    }
}

fn value<T: Decode + Default>(section: &mut Section<'_>, key: &'static str) -> T {
    section.get(key).unwrap_or_default()
}
