// Small things that HTML has no word for. The page works without them.
"use strict";

// A lost connection to the dialer is told, and taken back when it is there again.
function stale(is) {
  const line = document.getElementById("stale");
  if (line) line.hidden = !is;
}
document.addEventListener("htmx:sse:error", () => stale(true));
document.addEventListener("htmx:sse:after:message", () => stale(false));

// A menu is closed by Escape and by a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("header details[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("header details[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
