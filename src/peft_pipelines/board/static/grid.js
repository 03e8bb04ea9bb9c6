"use strict";
// The page Grid: what is chosen is shown as files at once, and as what kedro plan says once nothing changes for a moment.

const form = document.getElementById("grid");
const QUICK = 150, CALM = 1500;
let asked = 0, soon, later;

function chosen() {
  const ticked = (axis) => [...form.querySelectorAll(`input[name=${axis}]:checked`)].map((box) => box.value);
  const training = {};
  for (const field of form.querySelectorAll("[data-training]")) training[field.dataset.training] = field.value;
  return {env, name: form.elements.name.value.trim(), seen: form.dataset.seen, methods: ticked("methods"), models: ticked("models"),
          tasks: ticked("tasks"), seeds: ticked("seeds"), factors: form.elements.factors.value, training};
}

function tellWrong(wrong) {
  for (const line of form.querySelectorAll(".wrong")) {
    const key = line.id.slice("wrong-".length), text = wrong[key] || "";
    if (line.textContent !== text) line.textContent = text;
    const field = key.startsWith("training.") ? document.getElementById(key.replace(".", "-")) : form.elements[key];
    if (field instanceof HTMLInputElement && field.type !== "checkbox") field.toggleAttribute("aria-invalid", Boolean(text));
  }
}

function tellFiles(files) {
  const parts = Object.entries(files).flatMap(([name, text]) => [made("h4", name), made("pre", text, {tabindex: "0"})]);
  document.getElementById("files").replaceChildren(...parts);
}

async function preview() {
  const mine = ++asked;
  clearTimeout(later);
  try {
    const found = await ask("/grid/preview", chosen());
    if (mine !== asked) return;
    tellWrong(found.wrong);
    const sound = !Object.keys(found.wrong).length;
    document.getElementById("save").disabled = !sound;
    if (!sound) {
      document.getElementById("cells").textContent = "No grid yet";
      document.getElementById("plan").textContent = Object.values(found.wrong)[0];
      return;
    }
    document.getElementById("cells").textContent = `${found.cells} ${found.cells === 1 ? "cell" : "cells"}`;
    document.getElementById("command").textContent = found.command;
    tellFiles(found.files);
    later = setTimeout(() => plan(mine), CALM);
  } catch (error) {
    if (mine === asked) document.getElementById("plan").textContent = error.message;
  }
}

async function plan(mine) {
  const line = document.getElementById("plan");
  line.textContent = "Asking kedro plan what this takes …";
  try {
    const found = await ask("/grid/plan", chosen());
    if (mine === asked && !found.superseded) line.textContent = planned(found);
  } catch (error) {
    if (mine === asked) line.textContent = `kedro plan: ${error.message}`;
  }
}

async function save() {
  const button = document.getElementById("save"), wrong = document.getElementById("wrong-save");
  button.disabled = true;
  wrong.textContent = "";
  try {
    const found = await ask("/grid/save", chosen());
    form.dataset.seen = found.seen;
    say(`Written: ${found.files.join(", ")}`);
    if (found.env !== env) location.assign(`/grid?env=${encodeURIComponent(found.env)}`);
  } catch (error) {
    wrong.textContent = error.message;
  }
  button.disabled = false;
  button.focus();
}

form.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(preview, QUICK); });
form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
preview();
