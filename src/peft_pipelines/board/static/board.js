"use strict";
// What all pages share: the choice of an environment, requests, and events.

const env = document.body.dataset.env;

// Sends a request as JSON; gives its answer, or throws the board's own words.
async function ask(path, body) {
  const init = body === undefined ? {} : {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  const answer = await fetch(path, {...init, headers: {...init.headers, Accept: "application/json"}}).catch(() => null);
  if (!answer) throw new Error("The board does not answer: is kedro board still running?");
  const found = await answer.json().catch(() => ({error: "The board's answer cannot be read; reload the page."}));
  if (!answer.ok) throw new Error(found.error || "The board refused this.");
  return found;
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

// Calls `tell` with what the server sends, as long as the page is looked at.
function follow(path, tell) {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(path);
    source.onmessage = (event) => tell(JSON.parse(event.data));
  };
  const close = () => { if (source) source.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}

