"use strict";
// A loss over the steps of a training, drawn as an SVG: the training's as a line, validation as points.

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 340, HIGH = 150, LEFT = 44, BELOW = 20, ABOVE = 8, RIGHT = 8;

function drawn(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function curve(losses, validation, total) {
  const points = [...losses, ...validation];
  const picture = drawn("svg", {viewBox: `0 0 ${WIDE} ${HIGH}`, class: "curve", role: "img"});
  if (!points.length) {
    picture.setAttribute("aria-label", "No loss yet");
    picture.append(drawn("text", {x: LEFT, y: HIGH / 2, class: "soft"}, "no loss yet"));
    return picture;
  }
  const last = losses.at(-1), checked = validation.at(-1);
  const parts = [];
  if (last) parts.push(`training loss ${last[1].toFixed(3)} at step ${last[0]}, first ${losses[0][1].toFixed(3)}`);
  if (checked) parts.push(`validation loss ${checked[1].toFixed(3)} at step ${checked[0]}`);
  picture.setAttribute("aria-label", parts.join("; "));
  const values = points.map(([, loss]) => loss), most = Math.max(...values), least = Math.min(...values, most - 1e-9);
  const end = Math.max(total || 1, ...points.map(([step]) => step));
  const x = (step) => LEFT + (WIDE - LEFT - RIGHT) * step / end;
  const y = (loss) => ABOVE + (HIGH - ABOVE - BELOW) * (most - loss) / (most - least);
  for (const value of [most, least]) {
    picture.append(drawn("line", {x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value), class: "rule"}));
    picture.append(drawn("text", {x: LEFT - 4, y: y(value) + 4, class: "soft end"}, value.toFixed(2)));
  }
  picture.append(drawn("text", {x: LEFT, y: HIGH - 5, class: "soft"}, "0"));
  picture.append(drawn("text", {x: WIDE - RIGHT, y: HIGH - 5, class: "soft end"}, `step ${end}`));
  picture.append(drawn("polyline", {points: losses.map(([step, loss]) => `${x(step)},${y(loss)}`).join(" "), class: "loss"}));
  for (const [step, loss] of validation) picture.append(drawn("circle", {cx: x(step), cy: y(loss), r: 3.5, class: "checked"}));
  return picture;
}
