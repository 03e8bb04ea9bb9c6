"use strict";
// An environment that came with the project: what saving does to it, and a name of the user's own to save under.

const shipped = document.getElementById("shipped");

if (shipped) {
  const field = form.elements.name, own = document.getElementById("own");
  const tell = () => {
    const same = field.value.trim() === env;
    document.getElementById("shipped-changes").hidden = !same;
    document.getElementById("shipped-stays").hidden = same;
    own.hidden = !same;
  };
  field.addEventListener("input", tell);
  own.addEventListener("click", () => {
    field.value = shipped.dataset.own;
    field.dispatchEvent(new Event("input", {bubbles: true}));
    field.focus();
    field.select();
  });
  tell();  // a browser may put back what was typed before a reload
}
