// What every page does: the theme switch, asking once before something is lost, and forms
// that send themselves when a choice changes. Pages work without it.
"use strict";

document.addEventListener("click", function (event) {
  const toggle = event.target.closest("[data-theme-toggle]");
  if (toggle) {
    const root = document.documentElement;
    const theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", theme);
    try { localStorage.setItem("theme", theme); } catch (error) { /* storage may be closed */ }
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent.trim());
    copy.textContent = copy.dataset.done;
  }
});

document.addEventListener("change", function (event) {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form) {
    form.requestSubmit();
  }
});

document.addEventListener("submit", function (event) {
  const question = event.submitter && event.submitter.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
  }
});

// Time that is running out: minutes and seconds, from what the page said was left.
function countDown(root) {
  for (const place of root.querySelectorAll("[data-countdown]")) {
    const ends = Date.now() + 1000 * Number(place.dataset.countdown);
    const tick = function () {
      const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
      const shown = place.querySelector("[data-left]");
      if (!place.isConnected) {
        window.clearInterval(timer);
      } else if (left === 0) {
        window.clearInterval(timer);
        place.textContent = place.dataset.over;
        place.setAttribute("role", "status");
      } else if (shown) {
        const parts = [Math.floor(left / 60) % 60, left % 60];
        const hours = Math.floor(left / 3600);
        shown.textContent = (hours ? [hours, ...parts] : parts)
          .map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
      }
    };
    const timer = window.setInterval(tick, 1000);
    tick();
  }
}
document.addEventListener("DOMContentLoaded", function () { countDown(document); });
document.addEventListener("htmx:afterSwap", function (event) { countDown(event.detail.target); });

// A fragment that was refused is shown too: it says why.
document.addEventListener("htmx:beforeSwap", function (event) {
  if ([400, 409, 422].includes(event.detail.xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
