//! The commands of a Redis or Valkey resource without their arguments, as the Agent's `pkg/obfuscate/redis.go` names them.

/// Commands that are named with the word after them.
const WITH_SUBCOMMAND: [&str; 6] = ["CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "SCRIPT"];

/// What tracing libraries end a command with when they cut it.
const CUT: &str = "...";

const COMMANDS_MAX: usize = 3;

/// Writes the first commands of `query`, a command a line, to `out`, which is empty.
pub(super) fn quantize(query: &str, out: &mut String) {
    let mut commands = 0;
    let mut cut = false;
    for line in query.split('\n') {
        if commands == COMMANDS_MAX {
            break;
        }
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let Some(command) = words.next() else { continue };
        if command.ends_with(CUT) {
            cut = true;
            continue;
        }
        let before = out.len();
        if before > 0 {
            out.push(' ');
        }
        let start = out.len();
        out.extend(command.chars().map(upper));
        let named = out.get(start..).unwrap_or_default();
        if WITH_SUBCOMMAND.contains(&named)
            && let Some(subcommand) = words.next()
        {
            if subcommand.ends_with(CUT) {
                out.truncate(before);
                cut = true;
                continue;
            }
            out.push(' ');
            out.extend(subcommand.chars().map(upper));
        }
        commands += 1;
        cut = false;
    }
    if commands == COMMANDS_MAX || cut {
        out.push_str(if out.is_empty() { CUT } else { " ..." });
    }
}

/// The capital of `c`, if that is one character.
fn upper(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut capitals = c.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => capital,
        _ => c,
    }
}
