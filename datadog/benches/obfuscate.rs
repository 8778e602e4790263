//! Time to take out what must not be seen of one resource or tag. Statements are 100 to 200 bytes long.

use datadog::obfuscate::{Family, Obfuscator, Treatment};
use divan::counter::BytesCount;

const STATEMENTS: [&str; 4] = [
    "SELECT id, email, created_at FROM users WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC LIMIT $2",
    "INSERT INTO order_lines (order_id, sku, quantity, price, currency) VALUES (1841, 'AB-1029', 3, 19.99, 'EUR'), (1841, 'AB-7', 1, 4.5, 'EUR')",
    "SELECT o.id AS order_id, SUM(l.price * l.quantity) AS total FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.customer_id = 42 GROUP BY o.id",
    "UPDATE \"sessions\" SET \"last_seen\" = '2026-02-03 04:05:06.789', \"hits\" = \"hits\" + 1 WHERE \"sessions\".\"id\" IN (1, 2, 3, 4) /* request 7f3a */",
];

/// More than are kept, so that none is there when it comes again.
const UNSEEN: usize = 4096;

fn main() {
    divan::main();
}

/// Statements with their values in them, none of which comes twice in reach: the time to cut one into tokens.
#[divan::bench(args = 0..STATEMENTS.len(), sample_size = 256)]
fn statement_unseen(bencher: divan::Bencher<'_, '_>, which: usize) {
    let pattern = STATEMENTS.get(which).copied().unwrap_or_default();
    let statements: Vec<String> =
        (0..UNSEEN).map(|number| format!("{pattern} -- {number:04}")).collect();
    let mut statements = statements.iter().cycle();
    let mut obfuscator = Obfuscator::new();
    bencher.counter(BytesCount::of_str(pattern)).bench_local(|| {
        statements.next().map(|statement| obfuscator.resource(Family::Sql, statement).len())
    });
}

/// Statements without values in them: the time to find one among those that came before.
#[divan::bench(args = 0..STATEMENTS.len(), sample_size = 256)]
fn statement_seen(bencher: divan::Bencher<'_, '_>, which: usize) {
    let mut obfuscator = Obfuscator::new();
    for statement in STATEMENTS.iter().chain(&STATEMENTS) {
        obfuscator.resource(Family::Sql, statement);
    }
    let statement = STATEMENTS.get(which).copied().unwrap_or_default();
    bencher
        .counter(BytesCount::of_str(statement))
        .bench_local(|| obfuscator.resource(Family::Sql, divan::black_box(statement)).len());
}

#[divan::bench(sample_size = 256)]
fn url_without_user(bencher: divan::Bencher<'_, '_>) {
    let url = "https://api.example.com:8443/v1/customers/1841/orders?state=open&limit=50&cursor=eyJpZCI6MTg0MX0%3D";
    let mut obfuscator = Obfuscator::new();
    bencher.bench_local(|| obfuscator.value(Treatment::Url, divan::black_box(url)).map(str::len));
}

#[divan::bench(sample_size = 256)]
fn url_with_user(bencher: divan::Bencher<'_, '_>) {
    let url =
        "https://service:secret@api.example.com:8443/v1/customers/1841/orders?state=open&limit=50";
    let mut obfuscator = Obfuscator::new();
    bencher.bench_local(|| obfuscator.value(Treatment::Url, divan::black_box(url)).map(str::len));
}

#[divan::bench(sample_size = 256)]
fn redis_command(bencher: divan::Bencher<'_, '_>) {
    let mut obfuscator = Obfuscator::new();
    bencher.bench_local(|| {
        obfuscator
            .resource(
                Family::Redis,
                divan::black_box("SET session:7f3a9c11 {\"user\":1841} EX 3600"),
            )
            .len()
    });
}
