"use strict";
/* The drawing: guides in the colour of the power that they carry; a click on one shows its light. */
(() => {
  const holder = document.getElementById("drawing"), tip = document.getElementById("tip");
  const words = document.getElementById("power-words"), bar = document.getElementById("scale-bar");
  const SPAN = 40; // dB from the strongest guide to the palest
  let guides = new Map();

  // From pale to deep: the order of lightness is read without colours too, and turned over on dark ground.
  const STOPS = [[214, 220, 228], [253, 190, 110], [240, 110, 50], [178, 10, 40]];
  const colour = (part) => {
    const place = Math.min(Math.max(part, 0), 1) * (STOPS.length - 1), k = Math.min(Math.floor(place), STOPS.length - 2);
    const mix = STOPS[k].map((one, c) => Math.round(one + (STOPS[k + 1][c] - one) * (place - k)));
    return `rgb(${mix.join(",")})`;
  };
  bar.textContent = "";
  {
    const strip = Explorer.make("span", { class: "strip" });
    for (let k = 0; k < 16; k += 1) { const cell = Explorer.make("i"); cell.style.background = colour(k / 15); strip.append(cell); }
    bar.append(Explorer.make("span", { id: "bar-low" }), strip, Explorer.make("span", { id: "bar-high" }));
  }

  const pretty = (end) => end.replace(/^port /, "").replace(/^(\S+),\1$/, "$1");
  const nameOf = (wire) => {
    for (let k = wire.indexOf(":"); k >= 0; k = wire.indexOf(":", k + 1)) {
      const ends = [wire.slice(0, k), wire.slice(k + 1)];
      if (ends.every((end) => end.includes(","))) return ends.map(pretty);
    }
    return [wire, ""];
  };

  Explorer.showDrawing = (found) => {
    const parsed = new DOMParser().parseFromString(found.svg, "image/svg+xml");
    const svg = parsed.documentElement;
    if (svg.nodeName !== "svg") return;
    for (const node of [...svg.querySelectorAll("script, foreignObject, image, use, a")]) node.remove();
    const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
    if (!svg.hasAttribute("viewBox")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.dataset.width = width;
    svg.dataset.height = height;
    holder.replaceChildren(document.importNode(svg, true));
    size();
    const drawn = holder.firstChild;
    for (const wire of drawn.querySelectorAll("[data-wire]")) {
      if (!wire.classList.contains("light")) continue;
      const name = wire.dataset.wire;
      const hit = wire.cloneNode(true);
      for (const one of ["id", "stroke-dasharray"]) hit.removeAttribute(one);
      hit.setAttribute("class", "hit");
      hit.setAttribute("tabindex", "0");
      hit.setAttribute("role", "button");
      hit.setAttribute("aria-label", `Guide ${nameOf(name).join(" to ")}: show its light in the spectrum`);
      const choose = () => { const wave = waveOf(name); if (wave) Explorer.toggleProbe(wave); };
      hit.addEventListener("click", choose);
      hit.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { choose(); event.preventDefault(); } });
      hit.addEventListener("pointermove", (event) => showTip(name, event));
      hit.addEventListener("pointerleave", () => { tip.hidden = true; });
      wire.parentNode.insertBefore(hit, wire.nextSibling);
    }
    for (const box of drawn.querySelectorAll("[data-instance]")) {
      box.addEventListener("click", () => Explorer.showOwner(box.dataset.instance));
    }
    paint();
  };

  const size = () => {
    const svg = holder.firstChild;
    if (!svg || !svg.dataset) return;
    const [width, height] = [Number(svg.dataset.width), Number(svg.dataset.height)];
    document.getElementById("fit").setAttribute("aria-pressed", String(Explorer.state.fit));
    if (Explorer.state.fit) {
      let scale = Math.min(holder.clientWidth / width, Math.max(200, window.innerHeight * 0.4) / height, 1.4);
    scale = Math.max(scale, Math.min(0.45, Math.max(120, window.innerHeight * 0.4) / height)); // text that can be read
      svg.setAttribute("width", Math.round(width * scale));
      svg.setAttribute("height", Math.round(height * scale));
    } else { svg.setAttribute("width", width); svg.setAttribute("height", height); }
  };
  Explorer.sizeDrawing = size;
  new ResizeObserver(size).observe(holder);
  document.getElementById("fit").addEventListener("click", () => { Explorer.state.fit = !Explorer.state.fit; size(); Explorer.remember(); });

  const stronger = (guide) => {
    const [a, b] = [guide.along.dBm ?? -Infinity, guide.back.dBm ?? -Infinity];
    return b > a ? guide.back : guide.along;
  };
  const waveOf = (name) => { const guide = guides.get(name); return guide ? stronger(guide).wave : null; };

  Explorer.showPowers = (found) => {
    guides = new Map(found.guides.map((guide) => [guide.wire, guide]));
    for (const guide of found.guides) {
      const [a, b] = nameOf(guide.wire);
      if (guide.along.wave) Explorer.waveLabels.set(guide.along.wave, `${a} \u2192 ${b}`);
      if (guide.back.wave) Explorer.waveLabels.set(guide.back.wave, `${b} \u2192 ${a}`);
    }
    Explorer.lastPowers = found;
    const at = found.at < 10 ? `${(1000 * found.at).toFixed(3)} nm` : `${found.at} um`;
    words.textContent = `power at ${at}, ${found.sent_dBm === null ? "dark" : found.sent_dBm.toFixed(1) + " dBm"} sent in`;
    paint();
  };
  const paint = () => {
    const found = Explorer.lastPowers;
    if (!found) return;
    const top = Math.max(found.sent_dBm ?? 0, ...found.guides.map((g) => stronger(g).dBm ?? -Infinity));
    document.getElementById("bar-low").textContent = `${(top - SPAN).toFixed(0)}`;
    document.getElementById("bar-high").textContent = `${top.toFixed(0)} dBm`;
    for (const wire of holder.querySelectorAll(".wire.light")) {
      const guide = guides.get(wire.dataset.wire);
      const level = guide ? stronger(guide).dBm : null;
      const part = level === null ? 0 : 1 - (top - level) / SPAN;
      wire.style.stroke = colour(part);
      wire.style.strokeWidth = String(1.6 + 2.6 * Math.min(Math.max(part, 0), 1));
      wire.dataset.dbm = level === null ? "dark" : level.toFixed(2);
    }
    for (const hit of holder.querySelectorAll(".hit")) {
      const guide = guides.get(hit.dataset.wire);
      const on = guide && [guide.along.wave, guide.back.wave].some((wave) => Explorer.state.probes.includes(wave));
      hit.classList.toggle("probed", Boolean(on));
      hit.setAttribute("aria-pressed", String(Boolean(on)));
    }
  };
  Explorer.paintGuides = paint;

  const showTip = (name, event) => {
    const guide = guides.get(name);
    if (!guide) return;
    const [a, b] = nameOf(name);
    const line = (from, to, one) => (one.dBm === null ? null : `${from} \u2192 ${to}: ${one.dBm.toFixed(2)} dBm`);
    tip.textContent = [line(a, b, guide.along), line(b, a, guide.back)].filter(Boolean).join("\n") || `${a}, ${b}: dark`;
    tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.clientY + 14}px`;
  };
})();
