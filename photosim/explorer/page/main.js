"use strict";
/* Brings the parts together: what is asked when, keys, menus, background. */
(() => {
  const $ = (id) => document.getElementById(id);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let key = null, usualRange = "", opening = 0;

  Explorer.isDark = () => (Explorer.state.theme === null ? dark.matches : Explorer.state.theme === "dark");
  const banners = {};
  Explorer.banner = (about, text) => {
    banners[about] = text;
    const shown = Object.values(banners).filter(Boolean);
    $("banner").hidden = !shown.length;
    $("banner").textContent = shown.join(" ");
  };

  // --- questions ---------------------------------------------------------------------------------------
  Explorer.view = () => ({
    key, settings: Explorer.state.set, wl: Explorer.state.wl ?? usualRange, start: Explorer.state.start,
    probes: Explorer.state.probes, at: Explorer.marker(), quantity: Explorer.state.scale === "phase" ? "phase" : "power",
  });
  const spectrum = new Explorer.Latest("spectrum", Explorer.showSpectrum, Explorer.spectrumFailed);
  const powers = new Explorer.Latest("powers", Explorer.showPowers, () => {});
  const drawing = new Explorer.Latest("drawing", Explorer.showDrawing, () => {});
  const numbers = new Explorer.Latest("numbers", Explorer.showNumbers, Explorer.numbersFailed);
  let soon = 0, later = 0;
  const ask = ({ drawn = false, timed = true } = {}) => {
    if (key === null) return;
    spectrum.ask({ view: Explorer.view() });
    askLater(drawn, timed);
  };
  let drawnToo = false;
  const askLater = (drawn, timed) => {
    drawnToo = drawnToo || drawn;
    clearTimeout(soon);
    soon = setTimeout(() => powers.ask({ view: Explorer.view() }), 100);
    clearTimeout(later); // what takes longer waits until the slider rests
    later = setTimeout(() => {
      numbers.ask({ view: Explorer.view() });
      if (drawnToo) drawing.ask({ view: Explorer.view() });
      drawnToo = false;
    }, 250);
    if (timed) Explorer.askTime();
  };

  Explorer.change = (name, value, moving = null) => {
    const knob = Explorer.knob(name);
    if (value === null || value === knob.value) delete Explorer.state.set[name]; else Explorer.state.set[name] = value;
    Explorer.refreshKnob(name, moving);
    Explorer.remember();
    ask({ drawn: true });
  };
  Explorer.setMarker = (at) => {
    Explorer.state.at = at;
    Explorer.remember();
    Explorer.plot?.redraw(false);
    powers.ask({ view: Explorer.view() });
  };
  Explorer.setRange = (text) => {
    Explorer.state.wl = text === usualRange || text === "" ? null : text;
    $("wl").value = text || usualRange;
    Explorer.remember();
    ask({ timed: false });
  };
  Explorer.toggleProbe = (wave) => {
    const list = Explorer.state.probes;
    Explorer.state.probes = list.includes(wave) ? list.filter((one) => one !== wave) : [...list, wave];
    Explorer.remember();
    Explorer.paintGuides();
    ask({ timed: false });
  };

  // --- the netlist -------------------------------------------------------------------------------------
  Explorer.openText = async (text) => {
    opening += 1;
    const mine = opening;
    let found;
    try {
      found = await (await Explorer.post("netlist", { text })).json();
      Explorer.connected(true);
    } catch { Explorer.connected(false); return; }
    if (mine !== opening) return; // a newer text is on its way
    Explorer.remember();
    Explorer.setMistake(found.mistake);
    Explorer.banner("netlist", found.mistake ? `The netlist has a mistake in line ${found.mistake.line}: the page shows the last circuit that was right.` : "");
    if (found.mistake) return;
    key = found.key;
    usualRange = found.wl;
    $("name").textContent = found.name;
    document.title = `${found.name} \u2013 photosim explorer`;
    Explorer.setKnobs(found.knobs);
    if (Explorer.state.start !== null && !found.starts.includes(Explorer.state.start)) Explorer.state.start = null;
    $("start").replaceChildren(...found.starts.map((one) => Explorer.make("option", { value: one }, one)));
    $("start").value = Explorer.state.start ?? found.starts[0] ?? "";
    if (document.activeElement !== $("wl")) $("wl").value = Explorer.state.wl ?? usualRange;
    $("export-menu").replaceChildren(...found.exports.map((what) => {
      const item = Explorer.make("button", { type: "button", role: "menuitem", "data-what": what }, what.replace("_", " "));
      item.addEventListener("click", () => save(what));
      return item;
    }));
    Explorer.setTime(found);
    Explorer.remarks = found.remarks;
    drawing.ask({ view: Explorer.view() });
    ask({ drawn: true });
    document.body.dataset.ready = key;
  };
  Explorer.reopen = () => Explorer.openText(Explorer.state.text ?? Explorer.fileText);

  const watch = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch("/file", { method: "POST", headers: { "x-photosim-token": Explorer.token, "content-type": "application/json" }, body: "{}" });
      const found = await response.json();
      Explorer.connected(true);
      Explorer.banner("file", response.ok ? "" : found.error);
      if (!response.ok || found.text === Explorer.fileText) return;
      Explorer.fileText = found.text;
      if (Explorer.state.text === null) { Explorer.setText(found.text); Explorer.openText(found.text); }
      else Explorer.banner("file", "The file has changed; the page keeps your edits. Revert to file takes it.");
      Explorer.showEdited();
    } catch { Explorer.connected(false); }
  };

  const save = async (what) => {
    $("export-menu").hidden = true;
    $("export-button").setAttribute("aria-expanded", "false");
    const response = await Explorer.post("export", { view: Explorer.view(), what });
    if (!response.ok) { Explorer.banner("export", (await response.json()).error); setTimeout(() => Explorer.banner("export", ""), 8000); return; }
    const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition"))[1];
    const link = Explorer.make("a", { download: name });
    link.href = URL.createObjectURL(await response.blob());
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // --- looks and keys ----------------------------------------------------------------------------------
  const dress = () => {
    document.documentElement.dataset.theme = Explorer.isDark() ? "dark" : "light";
    document.body.classList.toggle("no-editor", !Explorer.state.editor);
    $("editor-button").setAttribute("aria-pressed", String(Explorer.state.editor));
    for (const one of $("quantity").children) one.setAttribute("aria-checked", String(one.dataset.scale === Explorer.state.scale));
  };
  const redress = () => { dress(); Explorer.redraw(); Explorer.redrawTime(); };
  dark.addEventListener("change", redress);
  const turn = () => { Explorer.state.theme = Explorer.isDark() ? "light" : "dark"; Explorer.remember(); redress(); };
  const toggleEditor = () => { Explorer.state.editor = !Explorer.state.editor; Explorer.remember(); dress(); };
  const reset = () => { Explorer.state.set = {}; Explorer.state.ranges = {}; Explorer.refreshKnobs(); Explorer.remember(); ask({ drawn: true }); };
  $("theme").addEventListener("click", turn);
  $("editor-button").addEventListener("click", toggleEditor);
  $("reset").addEventListener("click", reset);
  $("help-button").addEventListener("click", () => $("help").showModal());
  $("start").addEventListener("change", () => { Explorer.state.start = $("start").value; Explorer.remember(); ask({ timed: false }); });
  $("wl").addEventListener("change", () => Explorer.setRange($("wl").value.trim()));
  $("whole").addEventListener("click", () => Explorer.setRange(""));
  for (const one of $("quantity").children) {
    one.addEventListener("click", () => { Explorer.state.scale = one.dataset.scale; Explorer.remember(); dress(); ask({ timed: false }); });
  }
  const menu = (open) => { $("export-menu").hidden = !open; $("export-button").setAttribute("aria-expanded", String(open)); };
  $("export-button").addEventListener("click", (event) => { menu($("export-menu").hidden); event.stopPropagation(); });
  document.addEventListener("click", (event) => { if (!$("export-menu").contains(event.target)) menu(false); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu(false);
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    if (event.target.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
    const act = {
      "/": () => { $("filter").focus(); $("filter").select(); },
      e: toggleEditor, t: turn, r: reset, "?": () => $("help").showModal(),
    }[event.key];
    if (act) { act(); event.preventDefault(); }
  });
  window.addEventListener("hashchange", async () => { // an address that was pasted over this one
    if (location.hash.replace(/^#/, "") !== (Explorer.written ?? "")) location.reload();
  });

  (async () => {
    Explorer.state = await Explorer.fromAddress(location.hash);
    Explorer.written = location.hash.replace(/^#/, "");
    dress();
    const found = await (await Explorer.post("file", {})).json();
    Explorer.fileText = found.text ?? "";
    $("file").textContent = found.file ?? "";
    if (Explorer.state.text === Explorer.fileText) Explorer.state.text = null;
    Explorer.setText(Explorer.state.text ?? Explorer.fileText);
    await Explorer.openText(Explorer.editorText());
    setInterval(watch, 1500);
  })();
})();
