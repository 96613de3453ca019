// The map of the province: its cities tinted and named with their worst level, and a mark for each enterprise.
"use strict";

(() => {
  const SHAPES = { red: "triangle", orange: "diamond", yellow: "rect", blue: "circle", quiet: "circle" };
  const INKS = { red: "#fff", blue: "#fff", orange: "#1c1917", yellow: "#1c1917" };
  let outline = null;

  function loaded(address) {
    outline = outline || fetch(address).then((answer) => answer.json());
    return outline;
  }

  // Of one city only its own outline, so that its enterprises lie apart.
  function named(map, city) {
    const name = city || "jilin";
    if (!echarts.getMap(name)) {
      const features = map.features.filter((feature) => !city || String(feature.id) === city);
      echarts.registerMap(name, { ...map, features });
    }
    return name;
  }

  // A text with braces is shown as it was written: the drawing would read them as its own marks.
  function plain(text) {
    return text.replace(/\{/g, "{\u200b");
  }

  const GLYPHS = { red: "▲", orange: "◆", yellow: "■", blue: "●" };

  function said(part, narrow) {
    if (!part.level) return part.name;
    return narrow ? `${GLYPHS[part.level]}${part.name}` : `${part.name}\n${GLYPHS[part.level]} ${part.word} ${part.alarms}`;
  }

  // Most of a city's marks are in its middle: its name, of one line or two, stands above them.
  function above(part, narrow) {
    if (narrow) return [0, -14];
    return [0, part.level ? -28 : -20];
  }

  function cities(data, ink, narrow) {
    return data.parts.map((part) => ({
      name: part.city,
      itemStyle: part.level ? { areaColor: ink[part.level] + (part.level === "yellow" ? "70" : "45") } : undefined,
      label: { formatter: said(part, narrow), offset: above(part, narrow) },
    }));
  }

  // Data: {outline, city, parts: [{city, name, level, word, alarms, link}], marks: [{at, level, word, name, count, link}]}
  Charts.register("map", async (data, ink, place) => {
    const map = named(await loaded(place.dataset.outline), data.city);
    const fine = window.matchMedia("(pointer: fine)").matches;
    const narrow = place.clientWidth < 480;
    const mark = (one) => ({
      name: one.name,
      value: [...one.at, one.count],
      link: one.link,
      text: one.text,
      symbol: one.count > 1 ? "roundRect" : SHAPES[one.level || "quiet"],
      symbolSize: one.count > 1 ? [26, 18] : one.level ? 14 : 8,
      itemStyle: one.level
        ? { color: ink[one.level], borderColor: ink.text, borderWidth: 1 }
        : { color: ink.ground, borderColor: ink.muted, borderWidth: 2 },
      label: { show: one.count > 1, formatter: String(one.count), color: INKS[one.level] || ink.text, fontSize: 11 },
      z: one.level ? 5 : 3,
    });
    const order = { blue: 1, yellow: 2, orange: 3, red: 4 };
    const marks = [...data.marks].sort((a, b) => (order[a.level] || 0) - (order[b.level] || 0)).map(mark);
    const parts = Object.fromEntries(data.parts.map((part) => [part.city, part]));
    const told = (event) => {
      if (event.data && event.data.text) return plain(event.data.text);
      return parts[event.name] ? said(parts[event.name]) : "";
    };
    return {
      links: (event) => (event.componentType === "geo" ? parts[event.name] && parts[event.name].link : event.data && event.data.link),
      option: {
        aria: { enabled: true },
        tooltip: {
          renderMode: "richText",
          confine: true,
          backgroundColor: ink.ground,
          borderColor: ink.line,
          textStyle: { color: ink.text },
          formatter: told,
        },
        geo: {
          map,
          roam: fine,
          scaleLimit: { min: 1, max: 12 },
          aspectScale: 0.73,
          left: 8,
          right: 8,
          top: narrow ? 18 : 26,
          bottom: 8,
          itemStyle: { areaColor: "transparent", borderColor: ink.muted },
          label: {
            show: !data.city,
            color: ink.text,
            fontSize: narrow ? 10 : 12,
            lineHeight: narrow ? 12 : 15,
            textBorderColor: ink.ground,
            textBorderWidth: 3,
          },
          emphasis: { itemStyle: { areaColor: ink.line }, label: { color: ink.text } },
          select: { disabled: true },
          tooltip: { show: true, formatter: told },
          regions: cities(data, ink, narrow),
        },
        series: [{ type: "scatter", coordinateSystem: "geo", data: marks, emphasis: { scale: 1.4 } }],
      },
    };
  });
})();
