<?php
// Throws, and writes of it what OpenTelemetry's SDK records of an exception: a JSON line for each.

namespace Shop;

class Declined extends \RuntimeException
{
}

class Cart
{
    public function __construct(private array $items)
    {
    }

    public function total(): int
    {
        return array_sum(array_map(fn(array $item) => $this->price($item), $this->items));
    }

    private function price(array $item): int
    {
        return intdiv($item['price'], $item['count']);
    }

    public static function open(string $path): string
    {
        throw new Declined("cannot open $path: no\nsecond line");
    }

    public function __call(string $name, array $arguments)
    {
        throw new \BadMethodCallException($name);
    }
}

function caused(): void
{
    try {
        (new Cart([['price' => 1, 'count' => 0]]))->total();
    } catch (\DivisionByZeroError $error) {
        throw new Declined('cannot price: see below', 7, $error);
    }
}

function threeDeep(): void
{
    try {
        caused();
    } catch (Declined $error) {
        throw new \LogicException('', 0, $error);
    }
}

/** The calls of an exception, the innermost first: each with the place at which it was left. */
function calls(\Throwable $error): array
{
    [$calls, $file, $line] = [[], $error->getFile(), $error->getLine()];
    foreach ([...$error->getTrace(), ['function' => '{main}']] as $call) {
        $name = (isset($call['class']) ? $call['class'] . '.' : '') . $call['function'];
        $place = $file === null ? 'Unknown Source' : basename($file) . ($line ? ":$line" : '');
        $calls[] = strtr($name, '\\', '.') . "($place)";
        [$file, $line] = [$call['file'] ?? null, $call['line'] ?? null];
    }
    return $calls;
}

/** A trace in the form that Java made usual, which PHP's SDK writes. What a cause shares with what it caused is left out of it. */
function trace(\Throwable $error): string
{
    [$text, $outer] = ['', []];
    for (; $error; $error = $error->getPrevious()) {
        $calls = calls($error);
        for ($shared = 0; $shared < min(count($calls), count($outer)); $shared++) {
            if (array_reverse($calls)[$shared] !== array_reverse($outer)[$shared]) {
                break;
            }
        }
        $text .= ($text === '' ? '' : "\nCaused by: ") . strtr($error::class, '\\', '.');
        $text .= $error->getMessage() === '' ? '' : ': ' . $error->getMessage();
        foreach (array_slice($calls, 0, count($calls) - $shared) as $call) {
            $text .= "\n\tat $call";
        }
        $text .= $shared ? "\n\t... $shared more" : '';
        $outer = $calls;
    }
    return $text;
}

$scenarios = [
    'plain' => fn() => (new Cart([['price' => 1, 'count' => 0]]))->total(),
    'static_method' => fn() => Cart::open('/nope'),
    'caused' => fn() => caused(),
    'three_deep' => fn() => threeDeep(),
    'magic_method' => fn() => (new Cart([]))->pay(1),
    'type_error' => fn() => new Cart(7),
    'anonymous_class' => fn() => (new class () {
        public function pay()
        {
            throw new Declined('anonymous');
        }
    })->pay(),
    'by_eval' => fn() => eval('throw new \Exception("by eval");'),
];
foreach ($scenarios as $name => $run) {
    try {
        $run();
    } catch (\Throwable $error) {
        $line = ['scenario' => $name, 'type' => $error::class, 'message' => $error->getMessage(), 'stacktrace' => trace($error)];
        echo json_encode($line, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
    }
}
