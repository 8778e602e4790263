//! `--feature-gates`: the Collector's switches for behaviour that is coming or going.

/// A gate that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    name: String,
    enabled: bool,
    /// What holds here, whatever was asked for; nothing when the gate is not known.
    is_on: Option<bool>,
}

/// Gates that upstream's core and the components carried here have or had, and whether what they stand for is on here. It cannot
/// be changed. Upstream gains and loses gates with every release, so others are real, too.
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
    ("exporter.xray.allowDot", true),
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
    ("telemetry.disableAddressFieldForInternalTelemetry", true),
    ("telemetry.disableHighCardinalityMetrics", true),
    ("telemetry.newPipelineTelemetry", false),
    ("telemetry.useOtelForInternalMetrics", true),
    ("telemetry.useOtelWithSDKConfigurationForInternalTelemetry", true),
];

/// Reads the values of `--feature-gates`.
pub(crate) fn parse(values: &[String]) -> Vec<Gate> {
    let words = values.iter().flat_map(|value| value.split(',')).map(str::trim);
    let gates = words.filter(|word| !word.is_empty()).map(|word| {
        let enabled = !word.starts_with('-');
        let name = word.strip_prefix(['-', '+']).unwrap_or(word);
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        Gate { name: name.to_owned(), enabled, is_on: known.map(|(_, is_on)| *is_on) }
    });
    gates.collect()
}

/// Says what the gates come to.
pub(crate) fn note(gates: &[Gate]) {
    for Gate { name, enabled, is_on } in gates {
        match (enabled, is_on) {
            (true, Some(true)) | (false, Some(false)) => {
                tracing::info!(
                    gate = name,
                    enabled,
                    "Feature gate accepted. It is no choice here."
                );
            }
            (true, Some(false)) => tracing::warn!(
                gate = name,
                "Feature gate has no effect: it cannot be turned on here."
            ),
            (false, Some(true)) => tracing::warn!(
                gate = name,
                "Feature gate has no effect: it cannot be turned off here."
            ),
            (_, None) => {
                let close = confmap::closest(name, KNOWN.iter().map(|(known, _)| *known));
                tracing::warn!(
                    gate = name,
                    similar = close,
                    "Feature gate has no effect: it is not known here."
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_taken_with_their_signs_and_whether_they_are_known() {
        let values = [
            "service.partialReload,-pdata.useProtoPooling".to_owned(),
            "+receiverhelper.newReceiverMetrics, -filelog.allowFileDeletion".to_owned(),
        ];
        let gates = parse(&values);
        let seen: Vec<_> =
            gates.iter().map(|gate| (gate.name.as_str(), gate.enabled, gate.is_on)).collect();
        assert_eq!(
            seen,
            [
                ("service.partialReload", true, Some(true)),
                ("pdata.useProtoPooling", false, Some(true)),
                ("receiverhelper.newReceiverMetrics", true, Some(true)),
                ("filelog.allowFileDeletion", false, None),
            ]
        );
    }
}
