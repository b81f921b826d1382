// Requests by the keyboard: j and k open the next and the one before, as the arrows do in the list, where
// Enter opens the booking; a accepts, d goes to the reason with which Enter declines; ? shows the keys, and
// whether they count. One box ticks all requests. The page works without it.
"use strict";

(function () {
  const dialog = document.getElementById("keys");
  const list = document.querySelector(".inbox-list");
  if (!dialog || !list) {
    return;
  }
  const answer = (value) => document.querySelector(`.inbox-answer [name=approve][value="${value}"]`);
  const reason = document.querySelector(".inbox-answer [name=reason]");
  const counts = document.getElementById("keys-count");
  const loaded = performance.now();

  try {
    counts.checked = localStorage.getItem("keys") !== "off";
    if (sessionStorage.getItem("inbox-keys")) {
      sessionStorage.removeItem("inbox-keys");
      list.querySelector("[aria-current]")?.focus();
    }
  } catch (error) { /* storage may be closed */ }
  counts.addEventListener("change", function () {
    try { localStorage.setItem("keys", counts.checked ? "on" : "off"); } catch (error) { /* only here */ }
  });

  const ticks = [...list.querySelectorAll("input[name=chosen]")];
  const all = list.querySelector("[data-tick-all]");
  const show = function () {
    const ticked = ticks.filter((each) => each.checked).length;
    all.checked = ticked > 0 && ticked === ticks.length;
    all.indeterminate = ticked > 0 && ticked < ticks.length;
  };
  if (ticks.length > 1) {
    all.closest("label").hidden = false;
    list.addEventListener("change", function (event) {
      if (event.target === all) {
        ticks.forEach((each) => { each.checked = all.checked; });
      }
      show();
    });
    show();
  }

  function open(rel) {
    const link = document.querySelector(`.inbox-nav [rel=${rel}]`);
    if (link) {
      try { sessionStorage.setItem("inbox-keys", "yes"); } catch (error) { /* the focus is lost */ }
      link.click();
    }
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-keys]")) {
      dialog.showModal();
    }
  });

  document.addEventListener("keydown", function (event) {
    const types = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (types || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) {
      return;
    }
    if (document.querySelector("dialog[open]")) {
      return;
    }
    const inList = list.contains(event.target);
    // Held down, or pressed for the request before, a key decides nothing.
    const meant = !event.repeat && performance.now() - loaded > 600;
    if (event.key === "?") {
      event.preventDefault();
      dialog.showModal();
    } else if (!counts.checked) {
      return;
    } else if (event.key === "j" || (inList && event.key === "ArrowDown")) {
      event.preventDefault();
      open("next");
    } else if (event.key === "k" || (inList && event.key === "ArrowUp")) {
      event.preventDefault();
      open("prev");
    } else if (event.key === "Enter" && event.target.matches(".inbox-row > [aria-current]")) {
      event.preventDefault();
      document.querySelector("#request-title > a").click();
    } else if (event.key === "a" && meant && answer(1)) {
      event.preventDefault();
      answer(1).click();
    } else if (event.key === "d" && meant && reason) {
      event.preventDefault();
      reason.focus();
    }
  });
})();
