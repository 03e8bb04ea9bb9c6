"use strict";
// What all pages share: the choice of an environment, requests, and events.

const env = document.body.dataset.env;

// Sends a request; gives its answer, or throws the board's own words.
async function answered(path, init) {
  const answer = await fetch(path, {...init, headers: {...init.headers, Accept: "application/json"}}).catch(() => null);
  if (!answer) throw new Error("The board does not answer: is kedro board still running?");
  const found = await answer.json().catch(() => ({error: "The board's answer cannot be read; reload the page."}));
  if (!answer.ok) throw new Error(found.error || "The board refused this.");
  return found;
}

// Sends a request as JSON.
function ask(path, body) {
  return answered(path, body === undefined ? {} : {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
}

// Says a line to all, screen readers among them.
function say(text) {
  const line = document.getElementById("said");
  line.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { line.textContent = ""; }, 8000);
}

// Makes an element with text and attributes; text stays text.
function made(tag, text, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

// Calls `tell` with what the server sends, as long as the page is looked at, and `lost` with the reason where it tells nothing.
function follow(path, tell, lost) {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(path);
    source.onmessage = (event) => {
      const found = JSON.parse(event.data);
      if (found.error) lost(found.error); else tell(found);
    };
    source.onerror = (event) => lost(event.target.readyState === EventSource.CLOSED
      ? "The board refuses this page: open the address that kedro board has printed last."
      : "The board does not answer: is kedro board still running? Runs go on without it.");
  };
  const close = () => { if (source) source.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}

// A page that a browser shows again is of its own environment still, whatever was chosen when it was left.
window.addEventListener("pageshow", () => { const chooser = document.querySelector(".environment"); if (chooser) chooser.reset(); });

// What kedro plan says, in sentences.
function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
}

function planned(plan) {
  const cells = `${plan.to_make} of ${plan.cells} cells to make, ${plan.unchanged} unchanged.`;
  const failed = plan.failed_before ? ` ${plan.failed_before} failed before.` : "";
  const loads = plan.to_download.length ? ` It downloads before that: ${plan.to_download.join(", ")}.` : "";
  if (!plan.to_make) return cells + loads;
  if (plan.seconds === null) return `${cells}${failed} No cell like them has run: nothing is known of their time and disk.${loads}`;
  const unknown = plan.not_estimated ? ` No cell like ${plan.not_estimated} of them has run; these are in no number.` : "";
  const workers = plan.workers === 1 ? "1 worker" : `${plan.workers} workers`;
  const size = (plan.checkpoint_bytes / 1e6).toLocaleString("en", {maximumFractionDigits: 1});
  return `${cells}${failed} About ${duration(plan.seconds)} with ${workers}, ${size} MB of checkpoints.${unknown}${loads}`;
}
