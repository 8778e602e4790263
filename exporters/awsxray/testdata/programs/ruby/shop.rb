# Raises, and writes of it what OpenTelemetry's SDK records of an exception (its class, its message, and its full message without colours, the
# innermost call first): a JSON line for each.
require 'json'

class Declined < StandardError; end

class Cart
  def initialize(items)
    @items = items
  end

  def total
    @items.sum { |item| item.fetch(:price) }
  end

  def self.open(path)
    File.read(path)
  end

  define_method(:pay) do |card|
    raise Declined, "card #{card}: declined\nsecond line"
  end
end

def caused
  Cart.open('/nope')
rescue SystemCallError
  raise Declined, 'cannot open'
end

def three_deep
  caused
rescue Declined => e
  raise ArgumentError, "three: #{e.class}"
end

def recursion(depth)
  recursion(depth + 1)
end

def with_a_message_of_nothing
  raise Declined, ''
end

SCENARIOS = {
  'plain' => -> { Cart.new([{}]).total },
  'class_method' => -> { Cart.open('/nope') },
  'defined_method' => -> { Cart.new([]).pay(7) },
  'caused' => -> { caused },
  'three_deep' => -> { three_deep },
  'without_a_method' => -> { nil.price },
  'with_a_message_of_nothing' => -> { with_a_message_of_nothing },
  'by_eval' => -> { eval("Integer('a: b')", binding, 'rules.cfg', 3) },
  'recursion' => -> { recursion(0) }
}.freeze

SCENARIOS.each do |name, run|
  run.call
rescue StandardError, SystemStackError => e
  trace = e.full_message(highlight: false, order: :top)
  puts JSON.generate('scenario' => name, 'type' => e.class.name, 'message' => e.message, 'stacktrace' => trace)
end
