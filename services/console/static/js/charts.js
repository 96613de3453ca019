// Draws every <div data-chart="KIND" data-source="ID">: KIND names a drawing, ID an element that carries data-json.
// It draws again when that was exchanged, the theme changed or the window did. What a chart shows stands in a
// table as well; a click on a bar or a mark opens the link that came with it.
"use strict";

const Charts = (() => {
  const drawings = {};
  const drawn = new Map();

  function colour(name, fallback) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
  }

  function ink() {
    return {
      text: colour("--ink", "#1f2937"),
      muted: colour("--quiet", "#4b5563"),
      line: colour("--line", "#d8dee6"),
      ground: colour("--paper", "#fff"),
      accent: colour("--link", "#1d4ed8"),
      red: colour("--red", "#b91c1c"),
      orange: colour("--orange", "#fb923c"),
      yellow: colour("--yellow", "#fde047"),
      blue: colour("--blue", "#1d4ed8"),
    };
  }

  function calm() {
    return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  function follow(link) {
    if (link) window.location.assign(link);
  }

  function draw(place) {
    const source = document.getElementById(place.dataset.source);
    const drawing = drawings[place.dataset.chart];
    if (!source || !drawing) return;
    const text = source.dataset.json;
    let known = drawn.get(place);
    if (known && known.text === text && !known.stale) return;
    if (!known) {
      known = { chart: echarts.init(place, null, { renderer: "canvas" }), links: () => null };
      known.chart.on("click", (event) => follow(known.links(event)));
      drawn.set(place, known);
    }
    known.text = text;
    known.stale = false;
    drawing(JSON.parse(text), ink(), place).then(({ option, links, height }) => {
      if (height) place.style.height = height + "px";
      known.links = links;
      known.chart.resize();
      known.chart.setOption(
        { animation: !calm() && !known.shown, animationDuration: 250, backgroundColor: "transparent", ...option },
        { notMerge: !known.shown || place.dataset.chart !== "map" },
      );
      known.shown = true;
    });
  }

  function drawAll() {
    for (const [place, known] of drawn) {
      if (!place.isConnected || !place.querySelector("canvas")) { // a swap may empty the place that it keeps
        known.chart.dispose();
        drawn.delete(place);
      }
    }
    document.querySelectorAll("[data-chart][data-source]").forEach(draw);
  }

  function redraw() {
    drawn.forEach((known) => { known.stale = true; });
    drawAll();
  }

  let waiting = null;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 150);
  }

  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    document.body.addEventListener("htmx:afterSettle", drawAll);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    window.addEventListener("resize", soon);
  });

  return { register: (kind, drawing) => { drawings[kind] = drawing; } };
})();

// Bars: {categories: [{name, link}], series: [{name, level, values}], unit, across}. `across` lays them on their side.
Charts.register("bars", async (data, ink, place) => {
  const names = data.categories.map((category) => category.name);
  const short = place.clientWidth < 480;
  const categories = {
    type: "category",
    data: names,
    inverse: data.across,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: ink.line } },
    axisLabel: { color: ink.text, width: short ? 92 : 150, overflow: "truncate", hideOverlap: !data.across },
  };
  if (!data.across) categories.axisLabel = { color: ink.muted, hideOverlap: true };
  const values = {
    type: "value",
    minInterval: data.whole ? 1 : 0,
    axisLabel: { color: ink.muted, hideOverlap: true },
    splitLine: { lineStyle: { color: ink.line } },
    splitNumber: short ? 3 : 5,
  };
  const many = data.series.length > 1;
  return {
    height: data.across ? 40 + 28 * names.length + (many ? 30 : 0) : null,
    links: (event) => data.categories[event.dataIndex].link,
    option: {
      aria: { enabled: true, decal: { show: many } },
      tooltip: {
        renderMode: "richText",
        trigger: "axis",
        confine: true,
        axisPointer: { type: "shadow" },
        backgroundColor: ink.ground,
        borderColor: ink.line,
        textStyle: { color: ink.text },
        valueFormatter: (value) => (value === null || value === undefined ? "–" : `${value} ${data.unit}`),
      },
      legend: many ? { bottom: 0, textStyle: { color: ink.text }, itemWidth: 18 } : undefined,
      grid: { left: 8, right: data.across ? 40 : 12, top: 12, bottom: many ? 34 : 8, containLabel: true },
      xAxis: data.across ? values : categories,
      yAxis: data.across ? categories : values,
      series: data.series.map((line) => ({
        type: "bar",
        name: line.name,
        stack: many ? "all" : undefined,
        data: line.values.map((value, place) => ({
          value,
          itemStyle: data.categories[place].level ? { color: ink[data.categories[place].level] } : undefined,
        })),
        barMaxWidth: 22,
        cursor: "pointer",
        itemStyle: { color: ink[line.level] || ink.accent },
        label: { show: data.across && !many, position: "right", color: ink.text },
      })),
    },
  };
});
