// The screen of a tablet: it fills the screen when somebody asks for it, which a browser allows only then, and
// goes back to its first page when a form is left alone.
"use strict";

(function () {
  const IDLE = 120000; // milliseconds without a touch or a key
  const button = document.querySelector("[data-fullscreen]");
  const show = () => { button.hidden = Boolean(document.fullscreenElement); };
  if (button && document.fullscreenEnabled) {
    button.addEventListener("click", () => document.documentElement.requestFullscreen().catch(() => {}));
    document.addEventListener("fullscreenchange", show);
    show();
  }

  const form = document.querySelector("[data-idle-to]");
  if (form) {
    let timer;
    const wait = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => { window.location.href = form.dataset.idleTo; }, IDLE);
    };
    ["input", "pointerdown", "keydown"].forEach((name) => document.addEventListener(name, wait));
    wait();
  }
})();
