"use strict";
/* One column of sliders: a knob for every setting, those that the netlist writes first. */
(() => {
  const STEPS = 1000;
  const box = document.getElementById("knobs"), filter = document.getElementById("filter");
  let knobs = [], byName = new Map(), rows = new Map();
  const make = (tag, attributes = {}, ...inside) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") node.className = value; else if (value !== null) node.setAttribute(key, value);
    }
    node.append(...inside);
    return node;
  };
  Explorer.make = make;
  const short = (value, digits = 9) => {
    if (typeof value !== "number") return String(value);
    const rounded = Number(value.toPrecision(digits)), size = Math.abs(rounded);
    return size >= 1e6 || (size > 0 && size < 1e-4) ? rounded.toExponential().replace("e+", "e") : String(rounded);
  };

  Explorer.setKnobs = (found) => {
    const active = box.contains(document.activeElement) ? document.activeElement : null;
    const name = active?.closest("[data-knob]")?.dataset.knob, part = active?.type === "number" ? "number" : "slider";
    active?.blur(); // a value that is being typed counts: its field is about to be made anew
    knobs = found;
    byName = new Map(found.map((knob) => [knob.name, knob]));
    for (const name of Object.keys(Explorer.state.set)) if (!byName.has(name)) delete Explorer.state.set[name];
    build();
    rows.get(name)?.[part]?.focus();
  };
  Explorer.knob = (name) => byName.get(name);
  Explorer.knobs = () => knobs;

  const current = (knob) => (knob.name in Explorer.state.set ? Explorer.state.set[knob.name] : knob.value);
  const rangeOf = (knob) => {
    let [low, high] = Explorer.state.ranges[knob.name] ?? [knob.low, knob.high];
    const value = current(knob);
    if (value < low) low = value;
    if (value > high) high = value;
    return [low, high];
  };

  const groupsOf = () => {
    const groups = new Map();
    for (const knob of knobs) {
      const title = knob.owner === "" ? "circuit" : knob.owner;
      if (!groups.has(title)) groups.set(title, { title, component: knob.component, knobs: [] });
      groups.get(title).knobs.push(knob);
    }
    return [...groups.values()];
  };

  const parentOf = (owner) => owner.replace(/\.(?:[^.<>]|<[^<>]*>)*$/, "");

  const build = () => {
    const words = filter.value.trim().toLowerCase();
    box.textContent = "";
    rows = new Map();
    let shown = 0;
    const shownGroups = new Map(), pending = [];
    for (const group of groupsOf()) {
      const found = words ? group.knobs.filter((k) => (k.name + " " + k.text + " " + k.unit).toLowerCase().includes(words)) : group.knobs;
      if (!found.length) continue;
      const written = words ? found : found.filter((k) => k.written || k.name in Explorer.state.set);
      const rest = words ? [] : found.filter((k) => !written.includes(k));
      const open = words ? shown < 40 : written.length > 0;
      shown += found.length;
      const summary = make("summary", {}, make("b", {}, group.title));
      if (group.component) summary.append(make("span", { class: "quiet" }, " " + group.component));
      const details = make("details", { class: "group", "data-owner": group.title }, summary);
      const parent = words ? null : shownGroups.get(parentOf(group.title));
      shownGroups.set(group.title, { details, inner: [] });
      let filled = false;
      const fill = () => {
        if (filled) return;
        filled = true;
        for (const knob of written) details.append(row(knob));
        if (rest.length && written.length) {
          const more = make("details", { class: "more" }, make("summary", {}, `${rest.length} more at their defaults`));
          more.addEventListener("toggle", () => { if (more.open && more.children.length === 1) for (const knob of rest) more.append(row(knob)); });
          details.append(more);
        } else for (const knob of rest) details.append(row(knob));
        details.append(...shownGroups.get(group.title).inner);
      };
      details.addEventListener("toggle", () => { if (details.open) fill(); });
      if (parent) parent.inner.push(details); else box.append(details);
      pending.push(() => { if (open) { fill(); details.open = true; } });
    }
    for (const act of pending) act(); // when all parts inside of a group are known
    if (!box.children.length) box.append(make("p", { class: "hint" }, words ? "No setting has these words." : "The circuit has no settings."));
  };

  const row = (knob) => {
    const id = "knob-" + knob.name;
    const title = [knob.text, knob.follows ? "= " + knob.follows : "", boundsOf(knob)].filter(Boolean).join("\n");
    const node = make("div", { class: "knob", "data-knob": knob.name, title });
    const label = make("label", { for: id }, knob.label);
    const reset = make("button", { type: "button", class: "undo", title: "The value of the netlist", "aria-label": `Reset ${knob.name}` }, "\u21ba");
    reset.addEventListener("click", () => Explorer.change(knob.name, null));
    const parts = { node, reset };
    const top = make("div", { class: "top" }, label, reset);
    node.append(top);
    if (knob.kind === "flag") {
      parts.flag = make("input", { type: "checkbox", id });
      parts.flag.addEventListener("change", () => Explorer.change(knob.name, parts.flag.checked));
      top.append(parts.flag);
    } else if (knob.kind === "choice") {
      parts.choice = make("select", { id }, ...knob.choices.map((one) => make("option", { value: one }, one)));
      parts.choice.addEventListener("change", () => Explorer.change(knob.name, parts.choice.value));
      top.append(parts.choice);
    } else if (knob.kind === "fixed") {
      top.append(make("span", { class: "quiet", title: "Change it in the netlist" }, String(knob.value)));
    } else {
      parts.number = make("input", { type: "number", step: "any", "aria-label": `${knob.name}, exact value` });
      parts.number.addEventListener("change", () => {
        const value = parts.number.valueAsNumber;
        if (Number.isFinite(value)) Explorer.change(knob.name, bounded(knob, value)); else refresh(knob.name);
      });
      top.append(parts.number, make("span", { class: "unit quiet" }, knob.unit));
      parts.slider = make("input", { type: "range", id, min: 0, max: STEPS, step: 1 });
      parts.slider.addEventListener("input", () => {
        const [low, high] = rangeOf(knob);
        const value = low + ((high - low) * parts.slider.valueAsNumber) / STEPS;
        Explorer.change(knob.name, bounded(knob, Number(value.toPrecision(10))), parts.slider);
      });
      parts.slider.addEventListener("keydown", (event) => {
        if (event.key === "[" || event.key === "]") { resize(knob, event.key === "[" ? 0.25 : 4); event.preventDefault(); }
        else if (event.key === "Delete" || event.key === "Backspace") { Explorer.change(knob.name, null); event.preventDefault(); }
        else if (event.key === "PageUp" || event.key === "PageDown") {
          parts.slider.valueAsNumber += (event.key === "PageUp" ? 10 : -10);
          parts.slider.dispatchEvent(new Event("input"));
          event.preventDefault();
        }
      });
      parts.low = make("button", { type: "button", class: "end", title: "A finer range about the value: [" });
      parts.high = make("button", { type: "button", class: "end", title: "A wider range about the value: ]" });
      parts.low.addEventListener("click", () => resize(knob, 0.25));
      parts.high.addEventListener("click", () => resize(knob, 4));
      node.append(make("div", { class: "slide" }, parts.low, parts.slider, parts.high));
    }
    rows.set(knob.name, parts);
    refresh(knob.name);
    return node;
  };

  const boundsOf = (knob) => {
    if (knob.least !== null && knob.most !== null) return `${short(knob.least)} to ${short(knob.most)} ${knob.unit}`.trim();
    return knob.least !== null ? `${short(knob.least)} ${knob.unit} or more` : "";
  };
  const bounded = (knob, value) => {
    if (knob.kind === "whole") value = Math.round(value);
    if (knob.least !== null) value = Math.max(value, knob.least);
    if (knob.most !== null) value = Math.min(value, knob.most);
    return value;
  };
  const resize = (knob, factor) => {
    const [low, high] = rangeOf(knob), value = current(knob), half = (factor * (high - low)) / 2;
    Explorer.state.ranges[knob.name] = [bounded(knob, value - half), bounded(knob, value + half)];
    refresh(knob.name);
    Explorer.remember();
  };

  const refresh = (name, moving = null) => {
    const parts = rows.get(name), knob = byName.get(name);
    if (!parts || !knob) return;
    const value = current(knob);
    const moved = name in Explorer.state.set;
    parts.node.classList.toggle("moved", moved);
    parts.reset.hidden = !moved;
    if (parts.flag) parts.flag.checked = value;
    if (parts.choice) parts.choice.value = value;
    if (!parts.slider) return;
    const [low, high] = rangeOf(knob);
    if (parts.slider !== moving) parts.slider.valueAsNumber = (STEPS * (value - low)) / (high - low || 1);
    parts.slider.setAttribute("aria-valuetext", `${short(value)} ${knob.unit}`.trim());
    parts.slider.style.setProperty("--part", `${(100 * (value - low)) / (high - low || 1)}%`);
    parts.number.value = short(value);
    parts.low.textContent = short(low, 4);
    parts.high.textContent = short(high, 4);
  };
  Explorer.refreshKnob = refresh;
  Explorer.refreshKnobs = () => { for (const name of rows.keys()) refresh(name); };
  Explorer.showOwner = (owner) => {
    filter.value = "";
    build();
    for (const group of box.querySelectorAll(".group")) {
      const here = group.dataset.owner === owner;
      if (here) { group.open = true; group.scrollIntoView({ block: "center", behavior: "smooth" }); }
      group.classList.toggle("chosen", here);
    }
  };
  filter.addEventListener("input", build);
})();
