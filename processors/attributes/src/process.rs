//! Carries the actions out where they apply.

use pdata::edit::{MetricMut, PointsMut};
use pdata::{Payload, Signal};
use pipeline::Client;

use crate::config::Config;

/// Edits a payload. What does not match is decided as far up as can be: a resource or a scope that rules its items out is not gone into.
pub(crate) fn process(config: &Config, payload: &mut Payload, client: &Client) {
    let (signal, actions) = (payload.signal(), &config.actions);
    payload.edit(|mut group| {
        let Some(of_resource) = config.matching.resource(&group.resource().view()) else {
            return;
        };
        group.scopes(|_, mut group| {
            let Some(of_scope) = of_resource.scope(&group.scope().view()) else { return };
            match signal {
                Signal::Traces => group.spans(|_, span| {
                    if of_scope.takes(&span.view()) {
                        actions.apply(&mut span.attributes(), client);
                    }
                }),
                Signal::Logs => group.log_records(|_, record| {
                    if of_scope.takes(&record.view()) {
                        actions.apply(&mut record.attributes(), client);
                    }
                }),
                Signal::Metrics => group.metrics(|_, metric| {
                    if of_scope.takes(&metric.view()) {
                        edit_points(config, metric, client);
                    }
                }),
            }
        });
    });
}

fn edit_points(config: &Config, metric: &mut MetricMut<'_>, client: &Client) {
    let actions = &config.actions;
    let _has_data = metric.points(|points| match points {
        PointsMut::Number(mut points) => {
            points.for_each(|point| actions.apply(&mut point.attributes(), client));
        }
        PointsMut::Histogram(mut points) => {
            points.for_each(|point| actions.apply(&mut point.attributes(), client));
        }
        PointsMut::ExponentialHistogram(mut points) => {
            points.for_each(|point| actions.apply(&mut point.attributes(), client));
        }
        PointsMut::Summary(mut points) => {
            points.for_each(|point| actions.apply(&mut point.attributes(), client));
        }
    });
}

#[cfg(test)]
mod tests;
