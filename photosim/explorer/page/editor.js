"use strict";
/* The netlist as text: keys and comments coloured, the mistake at its line. */
(() => {
  const text = document.getElementById("text"), painted = document.getElementById("painted"), gutter = document.getElementById("gutter");
  const bubble = document.getElementById("bubble"), line = document.getElementById("mistake"), edited = document.getElementById("edited");
  const revert = document.getElementById("revert");
  let mistake = null, typing = 0;

  const escape = (one) => one.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const paintLine = (one) => {
    const found = /^(.*?)(^|\s)(#.*)$/.exec(one);
    let code = one, comment = "";
    if (found && (found[1].split('"').length % 2)) { code = found[1] + found[2]; comment = found[3]; }
    const inked = escape(code)
      .replace(/(^|[\s{,-])([\w.<>&;,@-]+?)(:)(?=\s|$)/g, '$1<b>$2</b>$3')
      .replace(/(^|[\s\[,:])(-?\d[\d.]*(?:e[+-]?\d+)?)(?=$|[\s,\]}])/gi, '$1<i>$2</i>');
    return inked + (comment ? `<s>${escape(comment)}</s>` : "");
  };
  const paint = () => {
    const lines = text.value.split("\n");
    painted.innerHTML = lines.length > 4000 ? escape(text.value) + "\n" : lines.map(paintLine).join("\n") + "\n";
    gutter.textContent = "";
    lines.forEach((_, k) => {
      const number = document.createElement("span");
      number.textContent = String(k + 1);
      if (mistake && mistake.line === k + 1) number.className = "wrong";
      gutter.append(number);
    });
    place();
  };
  const place = () => {
    painted.style.transform = `translate(${-text.scrollLeft}px, ${-text.scrollTop}px)`;
    gutter.style.transform = `translateY(${-text.scrollTop}px)`;
    if (!mistake) { bubble.hidden = true; return; }
    const high = parseFloat(getComputedStyle(text).lineHeight);
    const top = 8 + mistake.line * high - text.scrollTop;
    bubble.hidden = top < 0 || top > text.clientHeight;
    bubble.style.top = `${top}px`;
    bubble.style.setProperty("--line", `${-high}px`);
    bubble.style.setProperty("--high", `${high}px`);
  };
  text.addEventListener("scroll", place);
  new ResizeObserver(place).observe(text);

  Explorer.setText = (value) => {
    if (text.value !== value) { text.value = value; text.scrollTop = 0; }
    Explorer.showEdited();
    paint();
  };
  Explorer.editorText = () => text.value;
  Explorer.showEdited = () => {
    const own = Explorer.state.text !== null;
    edited.textContent = own ? "edited, not in the file" : "as in the file";
    revert.disabled = !own;
  };
  Explorer.setMistake = (found) => {
    mistake = found;
    line.textContent = found ? `Line ${found.line}: ${found.message}` : "";
    line.dataset.line = found ? found.line : "";
    bubble.textContent = found ? found.message : "";
    text.setAttribute("aria-invalid", String(Boolean(found)));
    document.body.classList.toggle("mistaken", Boolean(found));
    paint();
  };
  text.addEventListener("input", () => {
    Explorer.state.text = text.value === Explorer.fileText ? null : text.value;
    Explorer.showEdited();
    paint();
    clearTimeout(typing);
    typing = setTimeout(() => Explorer.openText(text.value), 250);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      document.execCommand("insertText", false, "  ");
      event.preventDefault();
    } else if (event.key === "Escape") { text.blur(); revert.disabled ? document.getElementById("editor-button").focus() : revert.focus(); }
  });
  revert.addEventListener("click", () => {
    Explorer.state.text = null;
    Explorer.setText(Explorer.fileText);
    Explorer.openText(Explorer.fileText);
  });
})();
