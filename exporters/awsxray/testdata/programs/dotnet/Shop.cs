// Throws, and writes of it what OpenTelemetry's SDK records of an exception (its type, its message, and its text): a JSON line for each.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Acme
{
    public class Declined : Exception
    {
        public Declined(string message, Exception inner = null) : base(message, inner) { }
    }

    public class Cart<T>
    {
        readonly List<T> items;

        public Cart(params T[] items) { this.items = items.ToList(); }

        public T this[int place] { get { return items[place]; } }

        public int Total(Func<T, int> price) { return items.Select(price).Sum(); }

        public async Task<int> Pay(string card)
        {
            await Task.Yield();
            throw new Declined("card " + card + ": declined\nsecond line");
        }

        public static string Open(string path) { return File.ReadAllText(path); }

        public IEnumerable<T> Walk()
        {
            foreach (var item in items)
            {
                if (item == null) throw new ArgumentNullException("item");
                yield return item;
            }
        }
    }

    public static class Shop
    {
        static void Caused()
        {
            try { Cart<int>.Open("/nope/orders"); }
            catch (IOException error) { throw new Declined("cannot open: see below", error); }
        }

        static void ThreeDeep()
        {
            try { Caused(); }
            catch (Declined error) { throw new InvalidOperationException("three", error); }
        }

        static void Rethrown()
        {
            try { int.Parse("a: b"); }
            catch (FormatException) { throw; }
        }

        static void Nested(out int result, ref string text) { result = int.Parse(text); }

        static void ByReference()
        {
            string text = "";
            int result;
            Nested(out result, ref text);
        }

        public static void Main()
        {
            var scenarios = new Dictionary<string, Action>
            {
                { "plain", () => new Cart<string>("x").Total(int.Parse) },
                { "indexer", () => Console.Write(new Cart<int>(1)[7]) },
                { "caused", Caused },
                { "three_deep", ThreeDeep },
                { "rethrown", Rethrown },
                { "by_reference", ByReference },
                { "iterator", () => new Cart<string>(null, "x").Walk().ToList() },
                { "asynchronous", () => new Cart<int>().Pay("7").GetAwaiter().GetResult() },
                { "aggregate", () => Task.WaitAll(new Cart<int>().Pay("1"), new Cart<int>().Pay("2")) },
                { "reflected", () => typeof(Shop).GetMethod("Caused", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static).Invoke(null, null) },
                { "initialised", () => Console.Write(Rates.Of) },
            };
            foreach (var scenario in scenarios)
            {
                try { scenario.Value(); }
                catch (Exception error)
                {
                    Console.WriteLine("{{\"scenario\":{0},\"type\":{1},\"message\":{2},\"stacktrace\":{3}}}",
                        Quoted(scenario.Key), Quoted(error.GetType().FullName), Quoted(error.Message), Quoted(error.ToString()));
                }
            }
        }

        static string Quoted(string text)
        {
            return "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\r", "\\r").Replace("\n", "\\n").Replace("\t", "\\t") + "\"";
        }
    }

    public static class Rates
    {
        public static int Of = int.Parse("none");
    }
}
