//! Without a config: what an application sends is shown to the person at the terminal.

use tests::agent::Setup;
use tests::parts::Sdk;
use tests::{ports, wait};

#[test]
fn the_embedded_default_shows_a_trace_as_a_tree() {
    let (grpc, http) = (ports::free(), ports::free());
    // The default's own ports may be taken on the machine that runs the tests.
    let agent = Setup::bare()
        .arguments(["--set", &format!("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{grpc}")])
        .arguments(["--set", &format!("receivers.otlp.protocols.http.endpoint=127.0.0.1:{http}")])
        .arguments(["--set", "service.telemetry.metrics.level=none"])
        .listening_on([grpc, http])
        .start();
    let account = Sdk::Python.send("grpc", &format!("http://127.0.0.1:{grpc}"));
    let tree = wait::until("every span of the journey on standard output", || {
        let shown = agent.stdout();
        account.spans.iter().all(|span| shown.contains(&span.name)).then_some(shown)
    });
    // A child stands below its parent and further to the right.
    let place = |name: &str| {
        let mut lines = tree.lines().enumerate();
        let found = lines.find_map(|(line, text)| {
            let (before, _) = text.split_once(name)?;
            Some((line, before.chars().count()))
        });
        found.unwrap_or_else(|| panic!("{name:?} is not in the tree:\n{tree}"))
    };
    for span in &account.spans {
        let parent = account.spans.iter().find(|other| other.span_id == span.parent_span_id);
        let Some(parent) = parent else { continue };
        let ((parent_line, parent_column), (line, column)) =
            (place(&parent.name), place(&span.name));
        assert!(
            parent_line < line && parent_column < column,
            "{:?} is not below {:?}:\n{tree}",
            span.name,
            parent.name
        );
    }
    assert!(tree.contains("Kaban-Shop"), "the service is named:\n{tree}");
    assert!(tree.contains("card refused"), "the error is told:\n{tree}");
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
