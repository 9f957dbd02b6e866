using System.Globalization;
using System.Text;

namespace ImagesFunctions.Benchmarks;

/// <summary>What was measured at several sizes.</summary>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>The k of y = c·xᵏ that fits best: 1 is proportional, 0 is independent.</summary>
    public double Exponent
    {
        get
        {
            var logs = Points.Select(p => (X: Math.Log(p.X), Y: Math.Log(p.Y))).ToList();
            var (x, y) = (logs.Average(p => p.X), logs.Average(p => p.Y));
            return logs.Sum(p => (p.X - x) * (p.Y - y)) / logs.Sum(p => (p.X - x) * (p.X - x));
        }
    }
}

/// <summary>Draws a plot with two logarithmic axes.</summary>
internal static class Plot
{
    /// <summary>The plot of these series as SVG.</summary>
    public static string Svg(string xLabel, string yLabel, IReadOnlyList<Series> series) =>
        new Drawing(series).Draw(xLabel, yLabel);

    private sealed class Drawing(IReadOnlyList<Series> series)
    {
        private const int Width = 720;
        private const int Height = 400;
        private const int Left = 80;
        private const int Right = 500;
        private const int Top = 20;
        private const int Bottom = 350;
        private static readonly string[] s_colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"];
        private readonly StringBuilder _svg = new();
        private readonly (int From, int To) _x = Decades(series.SelectMany(s => s.Points).Select(p => p.X));
        private readonly (int From, int To) _y = Decades(series.SelectMany(s => s.Points).Select(p => p.Y));

        public string Draw(string xLabel, string yLabel)
        {
            Line(
                $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"13\">"
            );
            Line($"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>");
            Axes(xLabel, yLabel);
            foreach (var (i, one) in series.Index())
            {
                Curve(one, s_colors[i % s_colors.Length], Top + 14 + (i * 40));
            }

            return _svg.Append("</svg>\n").ToString();
        }

        private void Axes(string xLabel, string yLabel)
        {
            for (var d = _x.From; d <= _x.To; d++)
            {
                var x = X(Math.Pow(10, d));
                Line($"<line x1=\"{x:0.#}\" y1=\"{Top}\" x2=\"{x:0.#}\" y2=\"{Bottom}\" stroke=\"#ddd\"/>");
                Line($"<text x=\"{x:0.#}\" y=\"{Bottom + 18}\" text-anchor=\"middle\">{Tick(d)}</text>");
            }

            for (var d = _y.From; d <= _y.To; d++)
            {
                var y = Y(Math.Pow(10, d));
                Line($"<line x1=\"{Left}\" y1=\"{y:0.#}\" x2=\"{Right}\" y2=\"{y:0.#}\" stroke=\"#ddd\"/>");
                Line($"<text x=\"{Left - 8}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{Tick(d)}</text>");
            }

            Line($"<text x=\"{(Left + Right) / 2}\" y=\"{Height - 10}\" text-anchor=\"middle\">{xLabel}</text>");
            Line(
                $"<text transform=\"translate(18 {(Top + Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{yLabel}</text>"
            );
        }

        private void Curve(Series one, string color, int at)
        {
            var points = string.Join(' ', one.Points.Select(p => Text($"{X(p.X):0.#},{Y(p.Y):0.#}")));
            Line($"<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
            foreach (var (x, y) in one.Points)
            {
                Line($"<circle cx=\"{X(x):0.#}\" cy=\"{Y(y):0.#}\" r=\"4\" fill=\"{color}\"/>");
            }

            Line(
                $"<line x1=\"{Right + 12}\" y1=\"{at - 4}\" x2=\"{Right + 32}\" y2=\"{at - 4}\" stroke=\"{color}\" stroke-width=\"3\"/>"
            );
            Line($"<text x=\"{Right + 38}\" y=\"{at}\">{one.Name}</text>");
            Line($"<text x=\"{Right + 38}\" y=\"{at + 16}\" fill=\"#555\">∼ n^{one.Exponent:0.00}</text>");
        }

        private void Line(FormattableString text) => _svg.Append(Text(text)).Append('\n');

        private double X(double value) => Left + ((Math.Log10(value) - _x.From) / (_x.To - _x.From) * (Right - Left));

        private double Y(double value) => Bottom - ((Math.Log10(value) - _y.From) / (_y.To - _y.From) * (Bottom - Top));

        private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

        private static string Tick(int decade) =>
            decade >= 0
                ? Math.Pow(10, decade).ToString("#,0", CultureInfo.InvariantCulture)
                : Math.Pow(10, decade).ToString(CultureInfo.InvariantCulture);

        // The powers of ten around all values, at least one apart.
        private static (int From, int To) Decades(IEnumerable<double> values)
        {
            var all = values.ToList();
            var from = (int)Math.Floor(Math.Log10(all.Min()));
            return (from, Math.Max(from + 1, (int)Math.Ceiling(Math.Log10(all.Max()))));
        }
    }
}
