// Boxes that offer names as one types: the command palette, which Ctrl-K or Cmd-K opens, and fields
// in which an organisation or a person is chosen. The server says what there is; the keyboard chooses.
"use strict";

(function () {
  // `address(text)`: what is asked; "" asks nothing. `chosen(option)`: what choosing does. `shown(options)`:
  // called with what is offered. Returns ask, and close, which forgets what was offered.
  function offers(box, list, { address, shown, chosen, first }) {
    let timer = 0;
    let asking = null;
    const options = () => [...list.querySelectorAll("[role=option]")];
    const marked = () => options().find((option) => option.getAttribute("aria-selected") === "true");

    function mark(option) {
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

    function close() {
      window.clearTimeout(timer);
      if (asking) {
        asking.abort();
      }
      list.replaceChildren();
      mark();
      shown([]);
    }

    async function ask() {
      if (asking) {
        asking.abort();
      }
      const from = address(box.value.trim());
      if (!from) {
        close();
        return;
      }
      asking = new AbortController();
      try {
        const answer = await fetch(from, { signal: asking.signal, headers: { "HX-Request": "true" } });
        if (!answer.ok) {
          return;
        }
        list.innerHTML = await answer.text();
      } catch (error) {
        return; // asked anew, or the network is away: what is shown stays
      }
      options().forEach((option, index) => { option.id = list.id + "-" + index; });
      shown(options());
      mark(first ? options()[0] : null);
    }

    box.addEventListener("input", function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, 200);
    });
    box.addEventListener("keydown", function (event) {
      const all = options();
      if (event.isComposing || !all.length) {
        return; // the keys choose characters, or there is nothing to choose
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const at = all.indexOf(marked());
        const next = event.key === "ArrowDown" ? at + 1 : (at < 0 ? all.length : at) - 1;
        mark(all[(next + all.length) % all.length]);
      } else if (event.key === "Enter" && marked()) {
        event.preventDefault();
        chosen(marked());
      }
    });
    return { ask, close };
  }

  // Fields in which somebody or something is chosen by name.
  let fields = 0;

  function prepare(box) {
    const list = document.createElement("div");
    list.id = "choices-" + (fields += 1);
    list.className = "choices";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    const label = box.labels[0] ? box.labels[0].textContent.trim() : box.getAttribute("aria-label");
    list.setAttribute("aria-label", label || "");
    const place = document.createElement("div");
    place.className = "choosing";
    box.before(place);
    place.append(box, list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"],
      ["aria-expanded", "false"], ["aria-controls", list.id]]) {
      box.setAttribute(name, value);
    }
    function choose(option) {
      box.value = option.dataset.text;
      offered.close();
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
    const joined = box.dataset.choose.includes("?") ? "&" : "?";
    const offered = offers(box, list, {
      address: (text) => (text ? box.dataset.choose + joined + "q=" + encodeURIComponent(text) : ""),
      shown: function (options) {
        list.hidden = !options.length;
        box.setAttribute("aria-expanded", String(options.length > 0));
      },
      chosen: choose,
    });
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", function (event) {
      const option = event.target.closest("[role=option]");
      if (option) {
        choose(option);
      }
    });
    box.addEventListener("blur", offered.close);
    box.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        offered.close();
      }
    });
    box.addEventListener("paste", function (event) { // a field of one line would join the lines of a list
      const text = event.clipboardData.getData("text").trim();
      if (box.hasAttribute("data-several") && text.includes("\n")) {
        event.preventDefault();
        box.setRangeText(text.replace(/\s*[\r\n]+\s*/g, ", "), box.selectionStart, box.selectionEnd, "end");
        box.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
    // Of several, there is always one more. It comes while the person types: one that came as the field is
    // left would move the button away from under the pointer that is pressing it.
    box.addEventListener("input", function () {
      const all = [...box.form.querySelectorAll('[data-choose][name="' + CSS.escape(box.name) + '"]')];
      if (box.hasAttribute("data-several") && all.every((each) => each.value)) {
        const more = box.cloneNode();
        more.value = "";
        more.removeAttribute("value");
        more.id = all[0].id + "_" + all.length;
        more.setAttribute("aria-label", label + " " + (all.length + 1));
        all[all.length - 1].closest(".choosing").after(more);
        prepare(more);
      }
    });
  }

  function prepareIn(part) {
    part.querySelectorAll("[data-choose]:not([role])").forEach(prepare);
  }
  prepareIn(document);
  document.addEventListener("htmx:load", (event) => prepareIn(event.target));

  // The palette.
  const dialog = document.getElementById("palette");
  if (!dialog) {
    return;
  }
  const box = document.getElementById("palette-text");
  const list = document.getElementById("palette-list");
  const none = document.getElementById("palette-none");
  const palette = offers(box, list, {
    address: (text) => dialog.dataset.ask + "?q=" + encodeURIComponent(text),
    shown: function (options) {
      for (const group of list.querySelectorAll("[role=group]")) {
        group.hidden = !group.querySelector("[role=option]");
      }
      none.hidden = options.length > 0;
    },
    chosen: (option) => option.click(),
    first: true,
  });

  function open() {
    if (!document.querySelector("dialog[open]")) {
      box.value = "";
      dialog.showModal();
      box.focus();
      palette.ask();
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
})();
