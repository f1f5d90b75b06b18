"use strict";
/* Questions to the server: one of a topic under way, and the newest alone behind it. */
(() => {
  const token = document.querySelector("meta[name=token]").content;
  const page = Math.random().toString(36).slice(2);
  let number = 0, waiting = 0;
  Explorer.token = token;

  Explorer.post = async (topic, body) => {
    waiting += 1;
    try {
      return await fetch("/" + topic, {
        method: "POST",
        headers: { "content-type": "application/json", "x-photosim-token": token },
        body: JSON.stringify(body),
      });
    } finally { waiting -= 1; }
  };

  Explorer.doubles = (text) => {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k += 1) bytes[k] = raw.charCodeAt(k);
    return new Float64Array(bytes.buffer);
  };

  Explorer.Latest = class {
    constructor(topic, answered, failed) { Object.assign(this, { topic, answered, failed, next: null, busy: false }); }
    ask(body) { this.next = body; if (!this.busy) this.run(); }
    async run() {
      this.busy = true;
      while (this.next) {
        const body = this.next;
        this.next = null;
        number += 1;
        const mine = number;
        try {
          const response = await Explorer.post(this.topic, { ...body, turn: { page, number: mine } });
          if (response.status === 409) continue;
          if (response.status === 404) { await Explorer.reopen(); continue; }
          const found = await response.json();
          if (response.ok) { Explorer.connected(true); this.answered(found, body); } else this.failed(found.error);
        } catch (error) {
          if (error instanceof TypeError) Explorer.connected(false); else throw error;
        }
      }
      this.busy = false;
      this.settled?.();
    }
  };

  const status = document.getElementById("status");
  let words = "";
  const show = (text) => { if (text !== words) { words = text; status.textContent = text; status.classList.toggle("busy", text !== ""); } };
  setInterval(async () => {
    if (!waiting) { show(""); return; }
    try {
      const found = await (await fetch("/progress", { headers: { "x-photosim-token": token } })).json();
      if (found.compiling) show(`Compiling ${found.compiling}, once on this machine (${found.compiled} functions done, ${found.seconds.toFixed(0)} s) ...`);
      else if (found.words && found.seconds >= 0.4) show(`${found.words} (${found.seconds.toFixed(0)} s) ...`);
      else if (!waiting) show("");
    } catch { /* the next question says that the server is gone */ }
  }, 300);

  Explorer.connected = (there) => {
    if (there === Explorer.isConnected) return;
    Explorer.isConnected = there;
    Explorer.banner("server", there ? "" : "The server does not answer: was photosim explore ended? Start it again and open the address that it prints.");
  };
  Explorer.isConnected = true;
})();
