// The page asks again for what it shows whenever the stream says that something changed, and says so when it cannot.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const desk = document.body.classList.contains("desk");

  // What a person typed or opened stays as it is while the rest is renewed around it.
  Idiomorph.defaults.ignoreActiveValue = true;
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !(old.dataset && ("dirty" in old.dataset || "keep" in old.dataset));
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-guarded]");
    if (form) form.dataset.dirty = "";
  });

  // Connection and stream

  let lost = false;
  function say_lost(now) {
    if (lost === now) return;
    lost = now;
    const banner = $("#connection");
    if (banner) banner.hidden = !now;
    if (!now) refresh();
  }
  function refresh(topics) {
    for (const part of all("[data-live]")) {
      if (topics && !part.dataset.live.split(" ").some((topic) => topics.includes(topic))) continue;
      setTimeout(() => document.contains(part) && htmx.trigger(part, "live"), Math.random() * 250);
    }
  }
  function listen() {
    const stream = new EventSource("/stream");
    stream.addEventListener("open", () => say_lost(false));
    stream.addEventListener("changed", (event) => refresh(event.data.split(" ")));
    stream.addEventListener("bus", (event) => ($("#bus").hidden = event.data !== "lost"));
    stream.addEventListener("error", () => {
      say_lost(true);
      if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
      refresh(); // an ended session answers with the way to the login
      setTimeout(listen, 3000);
    });
    addEventListener("pagehide", () => stream.close(), { once: true });
  }
  // An answer to a page that asks by itself keeps no session alive
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["Fengsui-Page"] = location.pathname + location.search;
    if (event.detail.triggeringEvent?.type === "live") event.detail.headers["Fengsui-Live"] = "1";
  });

  // A page leaves once: two parts may both answer with the way to the login, and a second departure on the heels of the
  // first ends the renderer of Chromium 156 ("Aw, Snap!").
  let left = -Infinity;
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    if (performance.now() - left < 5000) return event.preventDefault();
    left = performance.now();
  });

  if (desk) {
    listen();
    setInterval(() => refresh(), 30000); // ages, deadlines, and what no topic tells
    setInterval(() => $(".away") && refresh(), 3000); // a part whose service gave no answer
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      const live = event.target.closest?.("[data-live]") === event.target;
      live ? say_lost(true) : toast($("#connection")?.textContent);
    });
  }

  // Ages count on by themselves

  const words = $("#ages")?.dataset;
  function age(since) {
    const minutes = Math.max(0, Math.floor((Date.now() - since) / 60000));
    const put = (text, n, m) => text.replace("{n}", n).replace("{m}", m);
    if (minutes < 1) return words.now;
    if (minutes < 60) return put(words.minutes, minutes);
    if (minutes < 1440) return put(words.hours, Math.floor(minutes / 60), minutes % 60);
    return put(words.days, Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60));
  }
  function tick() {
    if (words) for (const each of all("time[data-age]")) each.textContent = age(Date.parse(each.dateTime));
  }
  tick();
  setInterval(tick, 15000);

  // A sound for a red alarm that was not there before

  const button = $("#sound");
  let audio;
  const silent = () => localStorage.getItem("fengsui.silent") === "1";
  function show_sound() {
    if (!button) return;
    button.setAttribute("aria-pressed", String(!silent()));
    button.title = silent() ? button.dataset.off : button.dataset.on;
    button.setAttribute("aria-label", button.title);
  }
  function ready_audio() {
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume();
  }
  function beep() {
    document.dispatchEvent(new Event("fengsui:beep"));
    if (silent() || !audio) return;
    for (const [pitch, at] of [[880, 0], [660, 0.22], [880, 0.44], [660, 0.66]]) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const start = audio.currentTime + at;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.25, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.2);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.21);
    }
  }
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, ready_audio, { once: true });
  button?.addEventListener("click", () => {
    localStorage.setItem("fengsui.silent", silent() ? "0" : "1");
    show_sound();
    if (!silent()) beep();
  });
  show_sound();

  const loud = () => all("[data-loud]").map((each) => each.dataset.loud);
  let known = new Set(loud());
  function listen_for_red(live) {
    const now = loud();
    if (live && now.some((each) => !known.has(each))) beep();
    known = new Set([...now, ...(live ? known : [])]);
  }

  // After each swap

  const title = document.title;
  function show_count() {
    const count = $("[data-count]")?.dataset.count;
    document.title = count && count !== "0" ? `(${count}) ${title.replace(/^\(\d+\) /, "")}` : title.replace(/^\(\d+\) /, "");
  }
  show_count();
  document.addEventListener("htmx:afterSettle", (event) => {
    const live = event.target.matches?.("[data-live]");
    if (live && lost && event.detail.successful !== false) say_lost(false);
    tick();
    show_count();
    listen_for_red(live);
    document.dispatchEvent(new CustomEvent("fengsui:shown", { detail: event.target }));
  });

  // Small things

  if (matchMedia("(max-width: 767px)").matches) for (const fold of all("details[data-fold]")) fold.open = false;

  let fading;
  function toast(text) {
    const note = $("#toast");
    if (!note || !text) return;
    note.textContent = text.trim();
    note.classList.add("shown");
    clearTimeout(fading);
    fading = setTimeout(() => note.classList.remove("shown"), 6000);
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    const said = event.detail.xhr?.getResponseHeader("X-Said");
    if (said) toast(decodeURIComponent(said));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-back]")) history.back();
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    if ("sent" in form.dataset) return event.preventDefault(); // a second click on a form that is under way
    form.dataset.sent = "";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
})();
