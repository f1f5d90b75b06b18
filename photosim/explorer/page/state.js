"use strict";
/* What the page looks at, kept in its address: whoever opens the address again finds the same. */
const Explorer = {};

Explorer.fresh = () => ({
  set: {},        // settings that were moved, by dotted name
  ranges: {},     // ends of sliders that were made finer or wider
  wl: null,       // range of wavelengths; null is that of the netlist
  start: null,    // port or source that light comes from
  probes: [],     // waves that were clicked
  at: null,       // wavelength of the marker in um
  scale: "dB",
  hidden: [],     // curves that are not drawn
  text: null,     // netlist as edited; null is the file
  signal: null,   // how the circuit is driven in time
  editor: true,
  theme: null,
  fit: true,
});
Explorer.state = Explorer.fresh();

Explorer.bytesToText = (bytes) => {
  let text = "";
  for (let k = 0; k < bytes.length; k += 8192) text += String.fromCharCode(...bytes.subarray(k, k + 8192));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
Explorer.textToBytes = (text) => {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
};
const through = async (bytes, stream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

/* The part of the address behind #, which no browser sends to any server. */
Explorer.toAddress = async (state) => {
  const base = Explorer.fresh();
  const small = {};
  for (const [key, value] of Object.entries(state)) {
    if (key !== "text" && JSON.stringify(value) !== JSON.stringify(base[key])) small[key] = value;
  }
  const parts = [];
  if (Object.keys(small).length) parts.push("s=" + encodeURIComponent(JSON.stringify(small)));
  if (state.text !== null) {
    const packed = await through(new TextEncoder().encode(state.text), new CompressionStream("deflate-raw"));
    parts.push("t=" + Explorer.bytesToText(packed));
  }
  return parts.join("&");
};
Explorer.fromAddress = async (text) => {
  const state = Explorer.fresh();
  for (const part of text.replace(/^#/, "").split("&")) {
    try {
      if (part.startsWith("s=")) {
        const found = JSON.parse(decodeURIComponent(part.slice(2)));
        for (const key of Object.keys(state)) if (key in found && key !== "text") state[key] = found[key];
      } else if (part.startsWith("t=")) {
        const bytes = await through(Explorer.textToBytes(part.slice(2)), new DecompressionStream("deflate-raw"));
        state.text = new TextDecoder().decode(bytes);
      }
    } catch { /* an address that was cut opens the file as it is */ }
  }
  return state;
};

let writing = 0;
Explorer.remember = () => {
  clearTimeout(writing);
  writing = setTimeout(async () => {
    const text = await Explorer.toAddress(Explorer.state);
    Explorer.written = text;
    history.replaceState(null, "", location.pathname + location.search + (text ? "#" + text : ""));
  }, 150);
};
