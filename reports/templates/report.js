"use strict";
(() => {
  // Attributes, options and titles of drawings hold both languages; where one is read alone, so do they.
  const told = [...document.querySelectorAll("[data-vi]")].map(element => {
    const name = ["title", "aria-label"].find(name => element.hasAttribute(name));
    return {element, name, both: name ? element.getAttribute(name) : element.textContent};
  });
  const choices = [...document.querySelectorAll(".choice")];
  function speak() {
    const lang = choices.find(choice => choice.checked).id.replace("lang-", "");
    for (const {element, name, both} of told) {
      const text = element.dataset[lang] ?? both;
      if (name) element.setAttribute(name, text); else element.textContent = text;
    }
  }
  for (const choice of choices) choice.addEventListener("change", speak);
  addEventListener("pageshow", speak);

  const form = document.getElementById("filter");
  if (!form) return;
  const controls = [...document.querySelectorAll(".c")];
  const said = form.querySelector("output b");
  const fold = text => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/g, "d");
  const words = new Map();
  const textOf = element => {
    if (!words.has(element)) words.set(element, fold(element.textContent));
    return words.get(element);
  };
  const MOST_OPENED = 200;

  function apply() {
    const outcome = form.outcome.value, severity = form.severity.value, dimension = form.dimension.value;
    const gating = form.gating.checked, text = fold(form.text.value.trim());
    const active = outcome || severity || dimension || gating || text;
    let found = 0;
    const matching = [];
    for (const control of controls) {
      const data = control.dataset;
      const wanted = (!severity || data.s === severity) && (!dimension || data.d === dimension) && (!gating || data.g);
      const named = !text || textOf(control.firstElementChild).includes(text);
      let here = 0;
      for (const group of control.querySelectorAll(".o")) {
        let inGroup = 0;
        const fits = wanted && (!outcome || group.dataset.o === outcome);
        for (const finding of group.querySelectorAll(".f")) {
          const shown = fits && (named || textOf(finding).includes(text));
          finding.hidden = !shown;
          if (shown) inGroup += 1;
        }
        group.hidden = !inGroup;
        here += inGroup;
      }
      control.hidden = !here;
      if (here) matching.push(control);
      found += here;
    }
    said.textContent = String(found);
    for (const control of matching) control.open = Boolean(active) && found <= MOST_OPENED;
  }

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  form.addEventListener("submit", event => event.preventDefault());
  for (const [name, open] of [["open", true], ["close", false]]) {
    form.querySelector(`[data-do=${name}]`).addEventListener("click", () => {
      for (const control of controls) if (!control.hidden) control.open = open;
    });
  }

  function reveal() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.classList.contains("c")) {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  }
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => {
    for (const control of controls) control.open = true;
  });
  form.hidden = false;
  apply();
  reveal();
})();
