"use strict";
(() => {
  // Attributes, options and titles of drawings hold both languages; where one is read alone, so do they.
  const told = [...document.querySelectorAll("[data-vi]")].map(element => {
    const name = ["title", "aria-label"].find(name => element.hasAttribute(name));
    return {element, name, both: name ? element.getAttribute(name) : element.textContent};
  });
  const choices = [...document.querySelectorAll(".choice")];
  let spoken = "both";
  function speak() {
    const lang = choices.find(choice => choice.checked).id.replace("lang-", "");
    if (lang === spoken) return;
    spoken = lang;
    for (const {element, name, both} of told) {
      const text = element.dataset[lang] ?? both;
      if (name) element.setAttribute(name, text); else element.textContent = text;
    }
  }
  for (const choice of choices) choice.addEventListener("change", speak);
  addEventListener("pageshow", speak);

  const form = document.getElementById("filter");
  if (!form) return;
  const main = form.parentElement;
  const sections = [...main.querySelectorAll("section")].map(element => ({element, controls: []}));
  const said = form.querySelector("output b");
  const fold = text => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/g, "d");
  const held = element => ({element, words: undefined});
  const has = (one, text) => (one.words ??= fold(one.element.textContent)).includes(text);
  // Once, so that a keystroke asks the page nothing: controls with their groups and findings.
  const controls = [];
  for (const section of sections) {
    for (const element of section.element.querySelectorAll(".c")) {
      const groups = [...element.querySelectorAll(".o")].map(group => ({
        element: group, outcome: group.dataset.o, findings: [...group.querySelectorAll(".f")].map(held),
      }));
      const {s, d, g} = element.dataset;
      const control = {element, severity: s, dimension: d, gating: g, title: held(element.firstElementChild), groups};
      section.controls.push(control);
      controls.push(control);
    }
  }
  const MOST_OPENED = 200;
  const show = (element, shown) => { if (element.hidden === shown) element.hidden = !shown; };

  // Prose and tables step aside while a filter is set: what is left is the list of what it found.
  function apply() {
    const outcome = form.outcome.value, severity = form.severity.value, dimension = form.dimension.value;
    const gating = form.gating.checked, text = fold(form.text.value.trim());
    const active = Boolean(outcome || severity || dimension || gating || text);
    let found = 0;
    for (const {element, controls: inside} of sections) {
      let any = false;
      for (const control of inside) {
        const wanted = (!severity || control.severity === severity) && (!dimension || control.dimension === dimension)
          && (!gating || control.gating);
        const named = !text || has(control.title, text);
        let here = 0;
        for (const group of control.groups) {
          const fits = wanted && (!outcome || group.outcome === outcome);
          let inGroup = 0;
          for (const finding of group.findings) {
            const shown = Boolean(fits && (named || has(finding, text)));
            show(finding.element, shown);
            if (shown) inGroup += 1;
          }
          show(group.element, inGroup > 0);
          here += inGroup;
        }
        show(control.element, here > 0);
        if (here) any = true;
        found += here;
      }
      element.classList.toggle("none", !any);
    }
    said.textContent = String(found);
    const open = active && found <= MOST_OPENED;
    for (const {element} of controls) if (!element.hidden && element.open !== open) element.open = open;
    if (main.classList.contains("filtering") !== active) {
      main.classList.toggle("filtering", active);
      form.scrollIntoView();
    }
  }

  let waiting = 0;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  };
  form.addEventListener("input", later);
  form.addEventListener("reset", later);
  form.addEventListener("submit", event => event.preventDefault());
  for (const [name, open] of [["open", true], ["close", false]]) {
    form.querySelector(`[data-do=${name}]`).addEventListener("click", () => {
      for (const {element} of controls) if (!element.hidden) element.open = open;
    });
  }

  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (main.classList.contains("filtering") && (target.hidden || !target.offsetParent)) {
      form.reset();
      apply();
    }
    if (target.classList.contains("c")) target.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => {
    for (const {element} of controls) element.open = true;
  });
  form.hidden = false;
  apply();
  reveal();
})();
