// The command palette: Ctrl-K or Cmd-K opens a box that finds pages, instruments, bookings, people
// and organisations. The server says what there is; the keyboard chooses.
"use strict";

(function () {
  const dialog = document.getElementById("palette");
  if (!dialog) {
    return;
  }
  const box = document.getElementById("palette-text");
  const list = document.getElementById("palette-list");
  const none = document.getElementById("palette-none");
  let timer = 0;
  let asking = null;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function choose(option) {
    for (const each of options()) {
      each.setAttribute("aria-selected", String(each === option));
    }
    if (option) {
      box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      box.removeAttribute("aria-activedescendant");
    }
  }

  async function ask() {
    if (asking) {
      asking.abort();
    }
    asking = new AbortController();
    try {
      const address = dialog.dataset.ask + "?q=" + encodeURIComponent(box.value.trim());
      const answer = await fetch(address, { signal: asking.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok) {
        return;
      }
      list.innerHTML = await answer.text();
    } catch (error) {
      return; // asked anew, or the network is away: what is shown stays
    }
    options().forEach((option, index) => { option.id = "palette-option-" + index; });
    for (const group of list.querySelectorAll("[role=group]")) {
      group.hidden = !group.querySelector("[role=option]");
    }
    none.hidden = options().length > 0;
    choose(options()[0]);
  }

  function open() {
    if (!document.querySelector("dialog[open]")) {
      box.value = "";
      dialog.showModal();
      box.focus();
      ask();
    }
  }

  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-palette]")) {
      open();
    }
  });
  box.addEventListener("input", function () {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, 200);
  });
  box.addEventListener("keydown", function (event) {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.isComposing) {
      return; // the keys choose characters
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter" && all[at]) {
      event.preventDefault();
      all[at].click();
    }
  });
})();
