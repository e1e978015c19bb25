"use strict";
// Draws the charts from the JSON in the page. Colours come from the style sheet, so that light and dark are decided once.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const figures = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const axisFigures = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
  const isWithinDay = data.frequency === "min" || data.frequency === "h";
  const isInUtc = () => document.documentElement.dataset.utc === "true";
  const zone = () => (isInUtc() ? "UTC" : data.zone);
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options });
  const dates = { D: { weekday: "short", day: "numeric", month: "short", year: "numeric" }, MS: { month: "short", year: "numeric" }, YS: { year: "numeric" } };
  const clock = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  // The name of the period that begins at this unix second.
  function period(t) {
    if (isWithinDay) return `${format(clock).format(t * 1000)} ${zone()}`;
    const local = { timeZone: data.zone };
    const text = (options) => new Intl.DateTimeFormat("en-GB", { ...local, ...options }).format(t * 1000);
    if (data.frequency === "W") return `week of ${text({ day: "numeric", month: "short", year: "numeric" })}`;
    if (data.frequency === "QS") return `Q${Math.ceil(Number(text({ month: "numeric" })) / 3)} ${text({ year: "numeric" })}`;
    return text(dates[data.frequency]);
  }
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const compact = (value) => axisFigures.format(value);
  const plain = (value) => (value == null ? "–" : figures.format(value));
  const share = (value) => (value == null ? "–" : percent.format(value));

  // A value without neighbours has no line: it gets a point.
  function lonely(chart, series) {
    const values = chart.data[series];
    const positions = [...values.keys()];
    return positions.filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
  }
  const line = (label, name, options = {}) => ({
    label, stroke: colour(name), width: 2, points: { show: true, filter: lonely }, value: (_, value) => plain(value), ...options,
  });
  const dashed = { width: 1.5, dash: [5, 4] };
  const shares = { value: (_, value) => share(value) };

  function axes(xValues, yFormat, xOptions = {}) {
    const common = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return [
      { ...common, grid: { show: false }, values: xValues, space: 70, size: 28, ...xOptions },
      { ...common, size: 52, values: (_, ticks) => ticks.map(yFormat) },
    ];
  }
  // Within a day the axis names the days, then days, months or years, whichever the ticks are apart.
  function ticksInWords(_, ticks) {
    const apart = ticks.length > 1 ? ticks[1] - ticks[0] : 0;
    const options = apart < 27 * 86400 ? { month: "short", day: "numeric" } : apart < 360 * 86400 ? { month: "short", year: "2-digit" } : { year: "numeric" };
    const name = new Intl.DateTimeFormat("en", { timeZone: zone(), ...options });
    const time = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return ticks.map((t) => {
      if (apart >= 86400 || time.format(t * 1000) === "00:00") return name.format(t * 1000);
      return data.seconds < 3600 ? time.format(t * 1000) : "";
    });
  }
  const times = { label: data.noun[0].toUpperCase() + data.noun.slice(1), value: (_, t) => (t == null ? "–" : period(t)) };
  const counted = (count) => `${count} ${count === 1 ? data.noun : data.plural}`;
  const leads = { label: "Ahead", value: (_, t) => (t == null ? "–" : counted(t)) };

  // A dashed line at the newest known period: left of it is past, right of it forecast.
  function border(at) {
    return { hooks: { draw: (u) => {
      const x = Math.round(u.valToPos(at, "x", true));
      const { top, height } = u.bbox;
      u.ctx.save();
      u.ctx.strokeStyle = colour("muted");
      u.ctx.setLineDash([3, 4]);
      u.ctx.beginPath();
      u.ctx.moveTo(x, top);
      u.ctx.lineTo(x, top + height);
      u.ctx.stroke();
      u.ctx.restore();
    } } };
  }

  // The legend shows the values of one period while nobody points at another.
  const resting = (at) => ({ hooks: {
    ready: (u) => u.setLegend({ idx: at }),
    setLegend: (u) => { if (u.legend.idx == null) u.setLegend({ idx: at }); },
  } });

  const fromZero = { range: (_, _low, high) => [0, (high || 1) * 1.08] };
  // On a phone less on either side, so that the interval can be seen.
  const ofPhone = { range: [data.forecast.end - data.onPhone, data.forecast.end + data.onPhone] };

  // Pairs of quantiles beside the interval, darker towards the middle, over the periods ahead.
  const fan = data.forecast.fan;
  const fanStart = data.forecast.t.indexOf(fan.from);
  const ahead = (values) => data.forecast.t.map((_, at) => (at < fanStart ? null : values[at - fanStart] ?? null));
  const fanColumns = fan.bands.flatMap((band) => [ahead(band.upper), ahead(band.lower)]);
  const fanSeries = fan.bands.flatMap((band) => [0, 1].map(() => line(band.label, "band", { stroke: "transparent", width: 0, class: "fan", points: { show: false } })));
  const fanBands = fan.bands.map((_, index) => ({ series: [5 + 2 * index, 6 + 2 * index], fill: colour("band") }));

  const bound = (label) => line(label, "band", { stroke: "transparent", width: 0 });
  // Each chart: its columns, which period the legend shows at rest (by default the last), and options for uPlot.
  const charts = {
    forecast: (width) => ({
      columns: [data.forecast.t, data.forecast.upper, data.forecast.lower, data.forecast.prediction, data.forecast.reality, ...fanColumns],
      legendIndex: Math.max(0, data.forecast.t.indexOf(data.forecast.end)),
      series: [times, bound("Upper"), bound("Lower"), line("Forecast", "forecast"), line("Reality", "reality", { width: 1.6 }), ...fanSeries],
      bands: [{ series: [1, 2], fill: colour("band") }, ...fanBands],
      axes: axes(ticksInWords, compact),
      scales: { x: width < 560 ? ofPhone : {} },
      plugins: [border(data.forecast.end)],
      height: 300,
    }),
    error: () => ({
      columns: [data.error.t, data.error.mae, data.error.naive, data.error.limit],
      series: [times, line("Forecast", "forecast"), line(`Naive: ${data.naive}`, "naive"), line("Retrain above", "limit", dashed)],
      axes: axes(ticksInWords, compact),
      scales: { y: fromZero },
      height: 260,
    }),
    lead: () => ({
      columns: [data.lead.t, data.lead.live, data.lead.backtest],
      legendIndex: Math.min(23, data.lead.t.length - 1),
      series: [leads, line("Live", "forecast"), line("Backtest", "naive", dashed)],
      axes: axes((_, ticks) => ticks, compact, { incrs: isWithinDay ? [1, 6, 12, 24, 48, 72, 168, 336, 672] : [1, 2, 3, 4, 6, 7, 13, 14, 26, 28, 52, 56, 112] }),
      scales: { x: { time: false }, y: fromZero },
      height: 230,
    }),
    coverage: () => ({
      columns: [data.error.t, data.error.coverage, data.error.t.map(() => data.coverageTarget)],
      series: [times, line("Inside", "forecast", shares), line("Aimed at", "naive", { ...dashed, ...shares })],
      axes: axes(ticksInWords, share),
      scales: { y: { range: [0, 1] } },
      height: 230,
    }),
  };

  function draw(element) {
    const name = element.dataset.chart;
    const width = element.clientWidth;
    const { columns, legendIndex = columns[0].length - 1, ...options } = charts[name](width);
    element.replaceChildren();
    const plot = new uPlot({
      ...options,
      plugins: [...(options.plugins ?? []), resting(legendIndex)],
      width,
      tzDate: (t) => uPlot.tzDate(new Date(t * 1000), zone()),
      cursor: { drag: { x: false, y: false }, points: { size: 7 } },
      legend: { live: true },
    }, columns, element);
    return { plot, name };
  }

  // Arrow keys walk through the periods; what stands there is read out.
  function walk(event, element, { plot, name }) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 }[event.key];
    if (!step) return;
    event.preventDefault();
    const last = plot.data[0].length - 1;
    const at = Math.max(0, Math.min(last, (plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
    const value = plot.data.slice(1).find((column) => column[at] != null)?.[at] ?? 0;
    plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: plot.valToPos(value, "y") });
    const parts = plot.series.flatMap((series, i) => (series.class === "fan" ? [] : [`${series.label} ${series.value(plot, plot.data[i][at])}`]));
    document.querySelector(`[data-reading="${name}"]`).textContent = parts.join(", ");
  }

  const drawn = new Map();
  const elements = document.querySelectorAll("[data-chart]");
  const resized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const chart = drawn.get(target);
      if (chart && Math.abs(chart.plot.width - contentRect.width) > 1) {
        chart.plot.setSize({ width: contentRect.width, height: chart.plot.height });
      }
    }
  });
  for (const element of elements) {
    drawn.set(element, draw(element));
    resized.observe(element);
    element.addEventListener("keydown", (event) => walk(event, element, drawn.get(element)));
  }
  function redraw() {
    for (const element of elements) {
      drawn.get(element).plot.destroy();
      drawn.set(element, draw(element));
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // UTC on request: the times of the page and of the charts; the address remembers it.
  const button = document.getElementById("utc");
  function show(utc) {
    document.documentElement.dataset.utc = utc;
    button.setAttribute("aria-pressed", utc);
    for (const element of document.querySelectorAll("time, [data-zone]")) {
      element.dataset.local ??= element.textContent;
      const inUtc = element.dateTime ? element.dateTime.slice(0, 16).replace("T", " ") : "UTC";
      element.textContent = utc ? inUtc : element.dataset.local;
    }
    redraw();
  }
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const utc = !isInUtc();
      history.replaceState(null, "", utc ? "#utc" : location.pathname + location.search);
      show(utc);
    });
    if (location.hash === "#utc") show(true);
  }
  document.documentElement.dataset.drawn = "true";
})();
