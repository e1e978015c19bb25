"use strict";
// Draws the charts from the data of the page. Colours come from the style sheet, so that light and dark are decided once.
document.addEventListener("DOMContentLoaded", () => {
  const { choices, choose, now, zone, redrawn } = actioncast;
  let data = actioncast.data;

  // --- words and numbers ---------------------------------------------------------------------------------------------
  const figures = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const axisFigures = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
  const isWithinDay = () => data.frequency === "min" || data.frequency === "h";
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options });
  const dates = { D: { weekday: "short", day: "numeric", month: "short", year: "numeric" }, MS: { month: "short", year: "numeric" }, YS: { year: "numeric" } };
  const clock = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  // The name of the period that begins at this unix second. Days and longer periods are those of the series' own zone.
  function period(t) {
    if (isWithinDay()) return `${format(clock).format(t * 1000)} ${zone()}`;
    const text = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, ...options }).format(t * 1000);
    if (data.frequency === "W") return `week of ${text({ day: "numeric", month: "short", year: "numeric" })}`;
    if (data.frequency === "QS") return `Q${Math.ceil(Number(text({ month: "numeric" })) / 3)} ${text({ year: "numeric" })}`;
    return text(dates[data.frequency]);
  }
  const compact = (value) => axisFigures.format(value);
  const isoTime = (second) => new Date(second * 1000).toISOString().replace(/\.\d+Z/, "Z");
  const plain = (value) => (value == null ? "–" : figures.format(value));
  const share = (value) => (value == null ? "–" : percent.format(value));
  const counted = (count) => `${count} ${count === 1 ? data.noun : data.plural}`;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // --- parts of a chart ----------------------------------------------------------------------------------------------
  // A value without neighbours has no line: it gets a point.
  function lonely(chart, series) {
    const values = chart.data[series];
    return [...values.keys()].filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
  }
  const line = (label, name, options = {}) => ({
    label, stroke: colour(name), width: 2, points: { show: true, filter: lonely }, value: (_, value) => plain(value), ...options,
  });
  const dashed = { width: 1.5, dash: [5, 4] };
  const shares = { value: (_, value) => share(value) };
  const invisible = { stroke: "transparent", width: 0, points: { show: false } };
  const unlisted = { ...invisible, class: "unlisted" };

  function axes(xValues, yFormat, unit, xOptions = {}) {
    const common = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return [
      { ...common, grid: { show: false }, values: xValues, space: 70, size: 28, ...xOptions },
      { ...common, size: 52, values: (_, ticks) => ticks.map(yFormat), label: unit, labelSize: 18, labelFont: "12px system-ui, sans-serif", labelGap: 0 },
    ];
  }
  // Within a day the axis names the days, then days, months or years, whichever the ticks are apart.
  function ticksInWords(_, ticks) {
    const apart = ticks.length > 1 ? ticks[1] - ticks[0] : 0;
    const options = apart < 27 * 86400 ? { month: "short", day: "numeric" } : apart < 360 * 86400 ? { month: "short", year: "2-digit" } : { year: "numeric" };
    const name = new Intl.DateTimeFormat("en", { timeZone: zone(), ...options });
    const time = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return ticks.map((t) => {
      const text = time.format(t * 1000);
      if (apart >= 86400 || text === "00:00") return name.format(t * 1000);
      return apart < 6 * 3600 || data.seconds < 3600 ? text : "";
    });
  }
  const times = () => ({ label: data.noun[0].toUpperCase() + data.noun.slice(1), value: (_, t) => (t == null ? "–" : period(t)) });
  const leads = () => ({ label: "Ahead", value: (_, t) => (t == null ? "–" : counted(t)) });

  // A dashed line with its name. With `atEdge` one beyond the right edge stands at the edge.
  function upright(name, at, { dash, side, atEdge = false }) {
    return { hooks: { draw: (u) => {
      const { left, top, width, height } = u.bbox;
      const place = Math.round(u.valToPos(at, "x", true));
      const isBeyond = place > left + width + 1;
      if (place < left || (isBeyond && !atEdge)) return;
      const x = Math.min(place, left + width);
      const pixels = devicePixelRatio;
      u.ctx.save();
      u.ctx.strokeStyle = u.ctx.fillStyle = colour("muted");
      u.ctx.lineWidth = pixels;
      u.ctx.setLineDash(dash.map((length) => length * pixels));
      u.ctx.beginPath();
      u.ctx.moveTo(x, top);
      u.ctx.lineTo(x, top + height);
      u.ctx.stroke();
      u.ctx.font = `${11 * pixels}px system-ui, sans-serif`;
      u.ctx.textAlign = side === "left" || x > left + width - 60 * pixels ? "right" : "left";
      u.ctx.textBaseline = "bottom";
      const gap = (u.ctx.textAlign === "right" ? -4 : 4) * pixels;
      u.ctx.fillText(isBeyond ? `${name} →` : name, x + gap, top + height - (side === "left" ? 3 : 16) * pixels);
      u.ctx.restore();
    } } };
  }

  // What happened, as a sign at the top edge; the tooltip says what it was.
  const signs = { promoted: ["▲", "good"], kept: ["△", "muted"], retrain: ["◆", "limit"], failed: ["✕", "bad"], level: ["↕", "naive"], aside: ["■", "watch"], holiday: ["●", "muted"], note: ["✎", "forecast"] };
  const markSigns = { hooks: { draw: (u) => {
    if (choices.get("marks") === "off") return;
    const { left, top, width } = u.bbox;
    u.ctx.save();
    u.ctx.font = `${12 * devicePixelRatio}px system-ui, "DejaVu Sans", sans-serif`;
    u.ctx.textAlign = "center";
    u.ctx.textBaseline = "top";
    for (const [t, kind] of data.marks) {
      const x = u.valToPos(t, "x", true);
      if (x < left || x > left + width) continue;
      const [sign, name] = signs[kind];
      u.ctx.fillStyle = colour(name);
      u.ctx.fillText(sign, x, top + 1);
    }
    u.ctx.restore();
  } } };
  function marksAt(u, at) {
    if (choices.get("marks") === "off") return [];
    const reach = Math.max((u.scales.x.max - u.scales.x.min) * 6 / u.width, data.seconds / 2);
    return data.marks.filter(([t]) => Math.abs(t - at) <= reach).map(([, kind, text]) => `${signs[kind][0]} ${text}`);
  }

  // The values under the cursor, beside it.
  function tooltip(withMarks) {
    const box = document.createElement("div");
    box.className = "tip";
    box.hidden = true;
    return { hooks: {
      init: (u) => u.over.append(box),
      setCursor: (u) => {
        const { idx, left } = u.cursor;
        box.hidden = idx == null || left < 0;
        if (box.hidden) return;
        const known = listed(u).filter(([, i]) => u.data[i][idx] != null);
        const rows = known.map(([series, i]) => `${series.label} ${series.value(u, u.data[i][idx], i, idx)}`);
        if (withMarks) rows.push(...marksAt(u, u.data[0][idx]));
        box.hidden = rows.length < 2; // nothing but a time: closed hours
        box.replaceChildren(...rows.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
        box.classList.toggle("flipped", left > u.over.clientWidth / 2);
        box.style.left = `${left}px`;
      },
    } };
  }
  const listed = (u) => u.series.map((series, i) => [series, i]).filter(([series]) => series.show !== false && series.class !== "unlisted");

  // The legend shows the values of one period while nobody points at another.
  const resting = (at) => ({ hooks: {
    ready: (u) => u.setLegend({ idx: at }),
    setLegend: (u) => { if (u.legend.idx == null) u.setLegend({ idx: at }); },
  } });

  const fromZero = { range: (_, _low, high) => [0, (high || 1) * 1.08] };

  // --- the charts ----------------------------------------------------------------------------------------------------
  let overlays = []; // other forecasts on the first chart: {label, rows: Map(second -> [prediction, lower, upper])}

  // What of the past and ahead is in view: what was dragged, a button's range, or what fits the screen.
  function range(width) {
    const { t, end } = data.forecast;
    const last = t.at(-1) ?? end;
    const dragged = choices.get("view")?.split("-").map(Number);
    if (dragged?.length === 2 && dragged.every(Number.isFinite)) return dragged;
    const chosen = data.ranges.find(([label]) => label === choices.get("range"));
    const ahead = Math.max(last, Math.min(now(), last + data.shownSeconds));
    if (chosen) return [Math.max(end - chosen[1], t[0]), Math.min(ahead, Math.max(end + chosen[1], now()))];
    if (width < 560) return [end - data.onPhone, Math.max(end + data.onPhone, Math.min(now(), end + data.shownSeconds))];
    return [Math.max(end - data.shownSeconds, t[0]), ahead];
  }

  function forecastChart(width) {
    const { t, upper, lower, prediction, reality, naive, fan, end } = data.forecast;
    const places = new Map(fan.t.map((second, at) => [second, at]));
    const ahead = (values) => t.map((second) => values[places.get(second)] ?? null);
    const interval = { ...invisible, value: (u, low, _, at) => (low == null || at == null ? "–" : `${plain(low)} to ${plain(u.data[1][at])}`) };
    const columns = [t, upper, lower, prediction, reality];
    const series = [
      times(), line("Upper", "band", unlisted), line(`Interval ${share(data.coverageTarget)}`, "band", interval),
      line("Forecast", "forecast"), line("Reality", "reality", { width: 1.6 }),
    ];
    if (choices.get("naive") === "on") {
      columns.push(naive);
      series.push(line("Naive", "naive", dashed));
    }
    const bands = [{ series: [1, 2], fill: colour("band") }];
    for (const band of fan.bands) {
      bands.push({ series: [columns.length, columns.length + 1], fill: colour("band") });
      columns.push(ahead(band.upper), ahead(band.lower));
      series.push(line(band.label, "band", unlisted), line(band.label, "band", unlisted));
    }
    overlays.forEach((overlay, index) => {
      const column = (part) => t.map((second) => overlay.rows.get(second)?.[part] ?? null);
      columns.push(column(0));
      series.push(line(overlay.label, index ? "naive" : "other", { ...dashed, width: 2 }));
      if (!overlay.bounds) return;
      bands.push({ series: [columns.length, columns.length + 1], fill: colour("other-band") });
      columns.push(column(2), column(1));
      series.push(line("bound", "band", unlisted), line("bound", "band", unlisted));
    });
    const uprights = [upright("data end", end, { dash: [3, 4], side: "left" }), upright("now", now(), { dash: [8, 3], side: "right", atEdge: !choices.has("view") })];
    return {
      columns, series, bands,
      legendIndex: Math.max(0, t.indexOf(end)),
      axes: axes(ticksInWords, compact, data.unit),
      scales: { x: { range: (u, low, high) => (u.dragged ? [low, high] : range(width)) } },
      plugins: [...uprights, markSigns, tooltip(true), together, zooming],
      height: 320,
    };
  }
  // The bounds and the fan come and go with the entry of the interval.
  const together = { hooks: { setSeries: (u, index, { show }) => {
    if (index !== 2 || show == null) return;
    u.series.forEach((series, at) => { if (series.class === "unlisted" && series.show !== show) u.setSeries(at, { show }, false); });
  } } };
  // Dragging zooms, a double click resets; the address remembers it.
  const zooming = { hooks: {
    setSelect: (u) => {
      if (u.select.width < 8) return;
      const bounds = [u.select.left, u.select.left + u.select.width].map((x) => Math.round(u.posToVal(x, "x")));
      choose("range", null);
      choose("view", bounds.join("-"));
      showRange();
      redraw("forecast");
    },
    ready: (u) => u.over.addEventListener("dblclick", () => {
      choose("view", null);
      choose("range", null);
      showRange();
      redraw("forecast");
    }),
  } };

  const charts = {
    forecast: forecastChart,
    error: () => ({
      columns: [data.error.t, data.error.mae, data.error.naive, data.error.limit],
      series: [times(), line("Forecast", "forecast"), line(`Naive: ${data.naive}`, "naive"), line("Retrain above", "limit", dashed)],
      axes: axes(ticksInWords, compact, data.unit),
      scales: { y: fromZero },
      plugins: [markSigns, tooltip(true)],
      height: 260,
    }),
    lead: () => ({
      columns: [data.lead.t, data.lead.live, data.lead.backtest],
      legendIndex: Math.min(23, data.lead.t.length - 1),
      series: [leads(), line("Live", "forecast"), line("Backtest", "naive", dashed)],
      axes: axes((_, ticks) => ticks, compact, data.unit, { incrs: isWithinDay() ? [1, 6, 12, 24, 48, 72, 168, 336, 672] : [1, 2, 3, 4, 6, 7, 13, 14, 26, 28, 52, 56, 112] }),
      scales: { x: { time: false }, y: fromZero },
      plugins: [tooltip(false)],
      height: 230,
    }),
    coverage: () => ({
      columns: [data.error.t, data.error.coverage, data.error.t.map(() => data.coverageTarget)],
      series: [times(), line("Inside", "forecast", shares), line("Aimed at", "naive", { ...dashed, ...shares })],
      axes: axes(ticksInWords, share),
      scales: { y: { range: [0, 1] } },
      plugins: [tooltip(false)],
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
      plugins: [...options.plugins, resting(legendIndex)],
      width,
      tzDate: (t) => uPlot.tzDate(new Date(t * 1000), zone()),
      cursor: { drag: { x: name === "forecast", y: false, setScale: false }, points: { size: 7 } },
      legend: { live: true },
    }, columns, element);
    return { plot, name };
  }

  // Arrow keys walk through the periods; what stands there is read out.
  function walk(event, { plot, name }) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 }[event.key];
    if (!step) return;
    event.preventDefault();
    const [first, last] = [plot.scales.x.min, plot.scales.x.max].map((bound) => plot.valToIdx(bound));
    const bounded = (place) => Math.max(first, Math.min(last, place));
    const isEmpty = (place) => plot.data.slice(1).every((column) => column[place] == null);
    let at = bounded((plot.cursor.idx ?? (step > 0 ? first - 1 : last + 1)) + step);
    while (isEmpty(at) && at > first && at < last) at += Math.sign(step); // closed hours
    const value = plot.data.slice(1).find((column) => column[at] != null)?.[at] ?? 0;
    plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: plot.valToPos(value, "y") });
    const parts = listed(plot).map(([series, i]) => `${series.label} ${series.value(plot, plot.data[i][at], i, at)}`);
    if (name !== "lead") parts.push(...marksAt(plot, plot.data[0][at]));
    document.querySelector(`[data-reading="${name}"]`).textContent = parts.join(", ");
  }

  // --- drawing all of them -------------------------------------------------------------------------------------------
  const drawn = new Map(); // element -> its plot
  const resized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const chart = drawn.get(target);
      if (chart && Math.abs(chart.plot.width - contentRect.width) > 1) {
        chart.plot.setSize({ width: contentRect.width, height: chart.plot.height });
      }
    }
  });
  function redraw(only) {
    for (const [element, { plot }] of drawn) {
      if (element.isConnected) continue;
      plot.destroy();
      resized.unobserve(element);
      drawn.delete(element);
    }
    for (const element of document.querySelectorAll("[data-chart]")) {
      if (only && element.dataset.chart !== only) continue;
      const before = drawn.get(element);
      before?.plot.destroy();
      drawn.set(element, draw(element));
      if (before) continue;
      resized.observe(element);
      element.addEventListener("keydown", (event) => walk(event, drawn.get(element)));
    }
    document.documentElement.dataset.drawn = "true";
  }

  // --- the tools above the first chart -------------------------------------------------------------------------------
  const press = (button, pressed) => button.setAttribute("aria-pressed", pressed);
  function showRange() {
    for (const button of document.querySelectorAll("[data-range]")) {
      press(button, !choices.has("view") && button.dataset.range === (choices.get("range") ?? ""));
    }
  }
  function prepareTools() {
    const tools = document.getElementById("tools");
    if (!tools) return;
    tools.hidden = false;
    for (const button of tools.querySelectorAll("[data-range]")) {
      button.addEventListener("click", () => {
        choose("view", null);
        choose("range", button.dataset.range);
        showRange();
        redraw("forecast");
      });
    }
    showRange();
    for (const [name, on, off] of [["naive", "on", null], ["marks", null, "off"]]) {
      const button = tools.querySelector(`[data-toggle="${name}"]`);
      const isOn = () => (choices.get(name) ?? null) === on;
      press(button, isOn());
      button.addEventListener("click", () => {
        choose(name, isOn() ? off : on);
        press(button, isOn());
        redraw();
      });
    }
    tools.querySelector("[data-save=csv]").addEventListener("click", saveCsv);
    tools.querySelector("[data-save=png]").addEventListener("click", savePng);
    prepareVintages(tools);
    prepareAssumptions(tools);
  }

  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  function saveCsv() {
    const { t, reality, prediction, lower, upper, naive } = data.forecast;
    const cell = (value) => value ?? "";
    const values = (at) => [reality, prediction, lower, upper, naive].map((column) => cell(column[at]));
    const known = [...t.keys()].filter((at) => values(at).some((value) => value !== ""));
    const rows = known.map((at) => [isoTime(t[at]), ...values(at)].join(","));
    save(`${data.series}.csv`, new Blob([`period,reality,prediction,lower,upper,naive\n${rows.join("\n")}\n`], { type: "text/csv" }));
  }
  // The chart with its background and its name, as it is seen.
  function savePng() {
    const shown = document.querySelector("[data-chart=forecast] canvas");
    const head = 30 * devicePixelRatio;
    const picture = Object.assign(document.createElement("canvas"), { width: shown.width, height: shown.height + head });
    const pen = picture.getContext("2d");
    pen.fillStyle = colour("card");
    pen.fillRect(0, 0, picture.width, picture.height);
    pen.fillStyle = colour("ink");
    pen.font = `600 ${15 * devicePixelRatio}px system-ui, sans-serif`;
    pen.fillText(document.querySelector("h1").textContent, 12 * devicePixelRatio, head * 0.7);
    pen.drawImage(shown, 0, head);
    picture.toBlob((blob) => save(`${data.series}.png`, blob));
  }

  // --- other forecasts -----------------------------------------------------------------------------------------------
  const ask = async (path, parameters) => {
    const answer = await fetch(`${path}?${new URLSearchParams({ series: data.series, ...parameters })}`);
    const document_ = await answer.json();
    if (!answer.ok) throw new Error(document_.detail);
    return document_;
  };
  const seconds = (text) => Date.parse(text) / 1000;
  const rowsOf = (periods) => new Map(periods.map((row) => [seconds(row.prediction_date), [row.prediction, row.lower, row.upper]]));
  let vintages = []; // newest first

  function prepareVintages(tools) {
    const box = tools.querySelector("[data-vintages]");
    if (!box) return;
    box.hidden = false;
    const step = (by) => async () => {
      if (!vintages.length) vintages = (await ask("vintages", {})).vintages;
      const at = vintages.findIndex((each) => each.issued_at === choices.get("asof"));
      const next = Math.max(at, 0) + by;
      choose("asof", next <= 0 ? null : vintages[Math.min(next, vintages.length - 1)]?.issued_at);
      await showOverlays();
    };
    box.querySelector("[data-step=earlier]").addEventListener("click", step(1));
    box.querySelector("[data-step=later]").addEventListener("click", step(-1));
    const before = box.querySelector("select");
    before.value = choices.get("before") ?? "";
    before.addEventListener("change", () => {
      choose("before", before.value);
      showOverlays();
    });
    if (choices.has("asof") || choices.has("before")) showOverlays();
  }

  // "asof" is a moment of issue; "before" is such as d86400 (the forecast of a day ago) or n24 (as said 24 periods before).
  async function showOverlays() {
    const said = document.getElementById("overlay-note");
    const found = [];
    try {
      const asOf = choices.get("asof");
      if (asOf) found.push(await asIssued(asOf));
      const before = choices.get("before") ?? "";
      if (before.startsWith("d")) found.push(await asIssuedAgo(Number(before.slice(1))));
      if (before.startsWith("n")) found.push(await asSaidBefore(before.slice(1)));
      if (choices.has("if")) found.push(await asAssumed());
      said.textContent = found.map((overlay) => overlay.note).join(" ");
    } catch (error) {
      said.textContent = error.message;
    }
    overlays = found;
    const label = document.getElementById("asof");
    if (label) label.textContent = choices.has("asof") ? `as of ${actioncast.moment(seconds(choices.get("asof")))}` : "newest forecast";
    redraw("forecast");
  }
  async function asIssued(issuedAt) {
    const vintage = await ask("forecast", { issued_at: issuedAt });
    const rows = rowsOf(vintage.predictions);
    return { label: `As of ${actioncast.moment(seconds(vintage.issued_at))}`, rows, bounds: true, note: difference(vintage, rows) };
  }
  async function asIssuedAgo(age) {
    const until = isoTime(now() - age);
    const { vintages: found } = await ask("vintages", { until, limit: 1 });
    if (!found.length) throw new Error("No forecast is that old.");
    return { ...(await asIssued(found[0].issued_at)), bounds: false };
  }
  async function asSaidBefore(lead) {
    const since = isoTime(data.forecast.t[0]);
    const { periods } = await ask("performance", { lead, since, limit: 1000 });
    return { label: `As said ${counted(Number(lead))} before`, rows: rowsOf(periods), bounds: false, note: "" };
  }
  // Columns known in the future, shifted by what the reader assumes: "if" is such as {"temperature":3}.
  async function asAssumed() {
    const shifts = JSON.parse(choices.get("if"));
    const columns = Object.fromEntries(Object.entries(shifts).map(([name, add]) => [name, { add }]));
    const answer = await fetch(`forecast?${new URLSearchParams({ series: data.series })}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ columns }),
    });
    const assumed = await answer.json();
    if (!answer.ok) throw new Error(assumed.detail);
    const words = Object.entries(shifts).map(([name, add]) => `${name} ${add < 0 ? "−" : "+"}${Math.abs(add)}`).join(", ");
    return { label: `If ${words}`, rows: rowsOf(assumed.predictions), bounds: true, note: `Hypothetical, and not stored: ${words}.` };
  }
  function prepareAssumptions(tools) {
    const box = tools.querySelector("[data-assume]");
    if (!box) return;
    box.hidden = false;
    const inputs = [...box.querySelectorAll("input")];
    const before = JSON.parse(choices.get("if") ?? "{}");
    for (const input of inputs) {
      input.value = before[input.dataset.column] ?? "";
      input.addEventListener("change", () => {
        const stated = inputs.filter((each) => each.value && Number(each.value)).map((each) => [each.dataset.column, Number(each.value)]);
        choose("if", stated.length ? JSON.stringify(Object.fromEntries(stated)) : null);
        showOverlays();
      });
    }
    if (choices.has("if")) showOverlays();
  }
  // How the newest forecast differs from another one, in numbers.
  function difference(vintage, rows) {
    const { t, prediction, end } = data.forecast;
    const changes = t.flatMap((second, at) => (second > end && rows.has(second) && prediction[at] != null ? [[second, prediction[at] - rows.get(second)[0]]] : []));
    if (!changes.length) return "The two forecasts have no period in common.";
    const mean = changes.reduce((sum, [, change]) => sum + change, 0) / changes.length;
    const [at, most] = changes.reduce((largest, each) => (Math.abs(each[1]) > Math.abs(largest[1]) ? each : largest));
    const signed = (value) => `${value < 0 ? "−" : "+"}${plain(Math.abs(value))}`;
    return `Since the forecast of ${actioncast.moment(seconds(vintage.issued_at))}: ${signed(mean)} ${data.unit} on the mean of ${counted(changes.length)} in both, at most ${signed(most)} (${period(at)}).`;
  }

  // --- two trainings side by side, and other rules -------------------------------------------------------------------
  function prepareTrainings() {
    const box = document.getElementById("compare");
    if (!box) return;
    box.hidden = false;
    const selects = [...box.querySelectorAll("select")];
    selects.forEach((select, at) => {
      select.replaceChildren(...data.trainings.map(({ name }, place) => new Option(name, place)));
      select.value = at;
      select.addEventListener("change", compare);
    });
    function compare() {
      const boards = selects.map((select) => data.trainings[select.value].board);
      const names = [...new Set(boards.flatMap(Object.keys))];
      const cell = (tag, text, number) => Object.assign(document.createElement(tag), { textContent: text, className: number ? "n" : "" });
      const row = (tag, texts) => {
        const element = document.createElement("tr");
        element.append(...texts.map((text, at) => cell(at ? tag : "th", text, at > 0)));
        return element;
      };
      const head = row("th", ["Candidate", ...selects.map((select) => data.trainings[select.value].name), "first against second"]);
      const rows = names.map((name) => {
        const [a, b] = boards.map((board) => board[name]);
        return row("td", [name, plain(a), plain(b), a && b ? `${((a / b - 1) * 100).toFixed(1)} %` : "–"]);
      });
      document.getElementById("side-by-side").replaceChildren(head, ...rows);
    }
    compare();
  }
  function prepareWhatIf() {
    const box = document.getElementById("what-if");
    if (!box) return;
    box.hidden = false;
    const inputs = [...box.querySelectorAll("input")];
    const answer = async () => {
      const rules = Object.fromEntries(inputs.filter((input) => input.value).map((input) => [input.name, input.value]));
      const said = document.getElementById("what-if-says");
      try {
        said.textContent = (await ask("what-if", rules)).sentence;
      } catch (error) {
        said.textContent = error.message;
      }
    };
    for (const input of inputs) input.addEventListener("change", answer);
  }

  redrawn.push(() => {
    const isNew = data !== actioncast.data;
    data = actioncast.data;
    if (isNew) {
      vintages = [];
      prepareTools();
      prepareTrainings();
      prepareWhatIf();
    }
    redraw();
  });
  prepareTools();
  prepareTrainings();
  prepareWhatIf();
  redraw();
});
