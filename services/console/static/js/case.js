// The case page: its chart of readings, and evidence that is uploaded before the step that names it.
"use strict";

const SHANGHAI_MS = 8 * 3600 * 1000; // the whole desk reads Beijing time, wherever the browser is

Charts.register("readings", async (data, ink) => ({
  height: null,
  links: () => null,
  option: {
    useUTC: true,
    aria: { enabled: true },
    grid: { left: 8, right: 16, top: 28, bottom: 8, containLabel: true },
    tooltip: {
      renderMode: "richText",
      trigger: "axis",
      confine: true,
      backgroundColor: ink.ground,
      borderColor: ink.line,
      textStyle: { color: ink.text },
    },
    xAxis: {
      type: "time",
      axisLine: { lineStyle: { color: ink.line } },
      axisLabel: { color: ink.muted, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      scale: true,
      min: (range) => (data.limit === null ? range.min : Math.min(range.min, data.limit)),
      max: (range) => (data.limit === null ? range.max : Math.max(range.max, data.limit)),
      axisLabel: { color: ink.muted },
      splitLine: { lineStyle: { color: ink.line } },
    },
    series: [
      {
        type: "line",
        name: data.words.value,
        data: data.readings.map(([time, value]) => [Date.parse(time) + SHANGHAI_MS, value]),
        symbolSize: 4,
        lineStyle: { width: 2, color: ink.accent },
        itemStyle: { color: ink.accent },
        markLine: data.limit === null ? undefined : {
          silent: true,
          symbol: "none",
          data: [{ yAxis: data.limit }],
          lineStyle: { color: ink[data.level] || ink.red, type: "dashed", width: 2 },
          label: { color: ink.text, position: "insideStartTop", formatter: `${data.words.limit} ${data.limit}` },
        },
      },
    ],
  },
}));

(() => {
  function line(place) {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    const bar = document.createElement("progress");
    const note = document.createElement("small");
    name.textContent = place.name;
    bar.max = 1;
    bar.value = 0;
    note.className = "mono";
    item.append(name, bar, note);
    return { item, bar, note };
  }
  function fault(box, request) {
    try {
      const said = JSON.parse(request.responseText);
      return box.dataset[camel(said.code)] ?? said.detail;
    } catch {
      return String(request.status);
    }
  }
  const camel = (code) => code.replace(/_(\w)/g, (_all, letter) => letter.toUpperCase());
  function send(box, file) {
    const { item, bar, note } = line(file);
    box.querySelector(".upload-list").append(item);
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file);
    request.open("POST", box.dataset.upload);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => event.lengthComputable && (bar.value = event.loaded / event.total);
    const failed = (why) => {
      bar.remove();
      item.setAttribute("role", "alert");
      note.textContent = `${box.dataset.fault} ${why}`;
    };
    request.onerror = () => failed(document.querySelector("#connection").textContent.trim());
    request.onload = () => {
      if (request.status >= 300) return failed(fault(box, request));
      const kept = JSON.parse(request.responseText);
      const field = box.querySelector("textarea[name=evidence]");
      const entry = `${kept.sha256} ${kept.url}\n`;
      bar.remove();
      note.textContent = `${box.dataset.ready} ${kept.sha256}`;
      if (field.value.includes(entry)) return;
      field.value += entry;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "btn btn-sm";
      remove.textContent = box.dataset.remove;
      remove.onclick = () => {
        field.value = field.value.replace(entry, "");
        item.remove();
      };
      item.append(remove);
    };
    request.send(body);
  }
  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-upload]");
    if (!box || event.target.type !== "file") return;
    for (const file of event.target.files) send(box, file);
    event.target.value = "";
  });
})();
