//! `--feature-gates`: the Collector's switches for behaviour that is coming or going.

/// A gate that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    name: &'static str,
    enabled: bool,
    /// What holds here, whatever was asked for.
    is_on: bool,
}

/// The gates that upstream's core and the components carried here have or had, and whether what they stand for is on here. It cannot
/// be changed.
const KNOWN: &[(&str, bool)] = &[
    ("component.UseLocalHostAsDefaultHost", true),
    ("confighttp.framedSnappy", true),
    ("confmap.enableMergeAppendOption", false),
    ("confmap.strictlyTypedInput", true),
    ("confmap.unifyEnvVarExpansion", true),
    ("datadog.EnableOperationAndResourceNameV2", true),
    ("datadog.EnableReceiveResourceSpansV2", true),
    ("datadog.EnableScopeConvention", true),
    ("exporter.datadogexporter.AddUnits", true),
    ("exporter.datadogexporter.DisableAPMStats", true),
    ("exporter.datadogexporter.DisableAllMetricRemapping", true),
    ("exporter.datadogexporter.EnableAttributeSliceMultiTagExporting", false),
    ("exporter.datadogexporter.InferIntervalForDeltaMetrics", false),
    ("exporter.datadogexporter.TraceExportUseCustomHTTPClient", true),
    ("exporter.datadogexporter.metricexportserializerclient", true),
    ("exporter.datadogexporter.metricremappingdisabled", true),
    ("extension.healthcheck.useComponentStatus", false),
    ("otelcol.printInitialConfig", true),
    ("pdata.useCustomProtoEncoding", true),
    ("pdata.useProtoPooling", true),
    ("pkg.exporterhelper.queueBatchEnabled", true),
    ("pkg.translator.zipkin.DontEmitV0CloudResourceConventions", false),
    ("pkg.translator.zipkin.DontEmitV0HttpConventions", false),
    ("pkg.translator.zipkin.DontEmitV0NetworkConventions", true),
    ("pkg.translator.zipkin.DontEmitV0ScopeConventions", false),
    ("pkg.translator.zipkin.EmitV1CloudResourceConventions", false),
    ("pkg.translator.zipkin.EmitV1HttpConventions", false),
    ("pkg.translator.zipkin.EmitV1NetworkConventions", true),
    ("pkg.translator.zipkin.EmitV1ScopeConventions", false),
    ("receiverhelper.newReceiverMetrics", true),
    ("service.AllowNoPipelines", false),
    ("service.noopTracerProvider", true),
    ("service.partialReload", true),
    ("service.partialReloadReceivers", true),
    ("service.profilesSupport", false),
    ("telemetry.UseLocalHostAsDefaultMetricsAddress", true),
    ("telemetry.disableHighCardinalityMetrics", true),
    ("telemetry.newPipelineTelemetry", false),
    ("telemetry.useOtelForInternalMetrics", true),
    ("telemetry.useOtelWithSDKConfigurationForInternalTelemetry", true),
];

/// Reads the values of `--feature-gates`.
///
/// # Errors
/// Names a gate that nobody knows, with the one that was likely meant.
pub(crate) fn parse(values: &[String]) -> Result<Vec<Gate>, String> {
    let words = values.iter().flat_map(|value| value.split(',')).map(str::trim);
    let gates = words.filter(|word| !word.is_empty()).map(|word| {
        let enabled = !word.starts_with('-');
        let name = word.strip_prefix(['-', '+']).unwrap_or(word);
        if let Some((name, is_on)) = KNOWN.iter().find(|(known, _)| *known == name) {
            return Ok(Gate { name, enabled, is_on: *is_on });
        }
        let hint = confmap::closest(name, KNOWN.iter().map(|(known, _)| *known));
        let hint = hint.map(|close| format!("; did you mean \"{close}\"?")).unwrap_or_default();
        Err(format!("no such feature gate \"{name}\"{hint}"))
    });
    gates.collect()
}

/// Says what the gates come to.
pub(crate) fn note(gates: &[Gate]) {
    for Gate { name, enabled, is_on } in gates {
        match (enabled, is_on) {
            (true, true) | (false, false) => {
                tracing::info!(
                    gate = name,
                    enabled,
                    "Feature gate accepted. It is no choice here."
                );
            }
            (true, false) => tracing::warn!(
                gate = name,
                "Feature gate has no effect: it cannot be turned on here."
            ),
            (false, true) => tracing::warn!(
                gate = name,
                "Feature gate has no effect: it cannot be turned off here."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_gates_are_taken_with_their_signs_and_unknown_ones_refused_by_name() {
        let values = [
            "service.partialReload,-pdata.useProtoPooling".to_owned(),
            "+receiverhelper.newReceiverMetrics".to_owned(),
        ];
        let gates = parse(&values).unwrap();
        let seen: Vec<_> = gates.iter().map(|gate| (gate.name, gate.enabled)).collect();
        assert_eq!(
            seen,
            [
                ("service.partialReload", true),
                ("pdata.useProtoPooling", false),
                ("receiverhelper.newReceiverMetrics", true)
            ]
        );
        let error = parse(&["service.partialReloaded".to_owned()]).unwrap_err();
        assert_eq!(
            error,
            "no such feature gate \"service.partialReloaded\"; did you mean \"service.partialReload\"?"
        );
    }
}
