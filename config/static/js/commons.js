// What every page does: the theme switch, menus, notices that go away, dialogs, asking once
// before something is lost, and forms that send themselves when a choice changes. Pages work
// without it.
"use strict";

document.addEventListener("click", function (event) {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-theme-toggle]")) {
    const root = document.documentElement;
    const theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", theme);
    try { localStorage.setItem("theme", theme); } catch (error) { /* storage may be closed */ }
  }
  const fold = at("[data-sidebar-fold]");
  if (fold) {
    const sidebar = document.documentElement.dataset.sidebar === "icons" ? "names" : "icons";
    document.documentElement.dataset.sidebar = sidebar;
    fold.setAttribute("aria-pressed", String(sidebar === "icons"));
    try { localStorage.setItem("sidebar", sidebar); } catch (error) { /* storage may be closed */ }
  }
  const copy = at("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent.trim());
    copy.textContent = copy.dataset.done;
  }
  const toggle = at("[data-toggle]");
  if (toggle) {
    const isOpen = document.getElementById(toggle.dataset.toggle).classList.toggle("show");
    toggle.setAttribute("aria-expanded", String(isOpen));
  }
  const notice = at("[data-notice-close]");
  if (notice) {
    notice.closest("[data-notice]").remove();
    if (notice.dataset.noticeClose) { // an announcement: its reader has seen it, in this browser
      const said = (document.cookie.match(/(?:^|; )closed=([^;]*)/) || ["", ""])[1];
      const keys = said.split(".").filter(Boolean).slice(-19).concat(notice.dataset.noticeClose);
      document.cookie = "closed=" + keys.join(".") + "; path=/; max-age=31536000; samesite=lax" +
        (location.protocol === "https:" ? "; secure" : "");
    }
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || at(".menu-list a, .menu-list button")) {
      menu.open = false;
    }
  }
});

document.addEventListener("DOMContentLoaded", function () {
  const fold = document.querySelector("[data-sidebar-fold]");
  if (fold) {
    fold.setAttribute("aria-pressed", String(document.documentElement.dataset.sidebar === "icons"));
    // A long list shows where one is.
    const list = document.getElementById("menu"), here = list.querySelector("[aria-current]");
    if (here && here.offsetTop + here.offsetHeight > list.clientHeight) {
      list.scrollTop = here.offsetTop - list.clientHeight / 2;
    }
  }
});

document.addEventListener("keydown", function (event) {
  if (event.key !== "Escape") {
    return;
  }
  const menu = document.querySelector("details.menu[open]");
  const toggle = document.querySelector('[data-toggle][aria-expanded="true"]');
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (toggle) {
    toggle.click();
    toggle.focus();
  }
});

document.addEventListener("change", function (event) {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form) {
    form.requestSubmit();
  }
});

// What was wrong with a field is not said of what is typed instead. On input, before the pointer is
// on its way to a button that would move.
document.addEventListener("input", function (event) {
  const field = event.target.closest('[aria-invalid="true"]');
  if (field) {
    const named = (field.getAttribute("aria-describedby") || "").split(" ");
    field.removeAttribute("aria-invalid");
    field.classList.remove("is-invalid");
    field.setAttribute("aria-describedby", named.filter((id) => !id.endsWith("error")).join(" "));
    for (const id of named.filter((id) => id.endsWith("error"))) {
      document.getElementById(id)?.remove();
    }
  }
});

// Dialogs -----------------------------------------------------------------------------------

// The browser keeps the focus inside, closes it with Escape and gives the focus back.
document.addEventListener("click", function (event) {
  const dialog = event.target.closest("dialog.dialog");
  if (dialog && (event.target === dialog || event.target.closest("[data-dialog-close]"))) {
    dialog.close();
  }
});

// What a button with data-confirm does is asked once. The first sentence is the question, the
// rest says what it costs, and so does the part of the page that data-confirm-cost names; the
// button in the dialog bears the words of the one that was pressed, the other one those of data-keep.
function ask(button) {
  const dialog = document.getElementById("confirm");
  const [, question, rest] = /^(.*?[?？]|[^]*$)\s*([^]*)$/.exec(button.dataset.confirm.trim());
  const cost = document.getElementById(button.dataset.confirmCost);
  const go = dialog.querySelector("[data-confirm-go]");
  dialog.querySelector("#confirm-title").textContent = question;
  dialog.querySelector("#confirm-text").textContent = [rest, cost ? cost.textContent.trim() : ""].join(" ").trim();
  const keep = dialog.querySelector("[data-confirm-keep]");
  keep.textContent = button.dataset.keep || keep.dataset.confirmKeep;
  go.textContent = button.dataset.confirmGo || button.textContent.trim() || button.ariaLabel;
  const destroys = [...button.classList].some((name) => name.endsWith("-danger"));
  go.className = destroys ? "btn btn-danger" : "btn btn-primary";
  go.onclick = function () {
    dialog.close();
    button.dataset.confirmed = "yes";
    button.form.requestSubmit(button);
  };
  dialog.showModal();
}

document.addEventListener("submit", function (event) {
  const button = event.submitter;
  if (!button || !button.dataset.confirm) {
    return;
  }
  if (button.dataset.confirmed) {
    delete button.dataset.confirmed;
  } else {
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(button);
  }
}, true);

// Notices -----------------------------------------------------------------------------------

// What an act did stands above the page, or where the page opens at a part of it, above that, and
// lies on nothing. Shown only now, it is read aloud.
document.addEventListener("DOMContentLoaded", function () {
  const toasts = document.querySelector(".toasts");
  const there = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (toasts && there) {
    there.prepend(toasts);
  }
  for (const toast of document.querySelectorAll("[data-toast]")) {
    window.setTimeout(() => toast.classList.add("is-shown"), 100);
  }
  const here = document.querySelector(".tabs .active");
  if (here && here.offsetLeft + here.offsetWidth > here.closest("ul").clientWidth) {
    here.closest("ul").scrollLeft = here.offsetLeft - 24;
  }
});

// Paper is white -----------------------------------------------------------------------------

let shownTheme = "";
window.addEventListener("beforeprint", function () {
  shownTheme = document.documentElement.getAttribute("data-bs-theme");
  document.documentElement.setAttribute("data-bs-theme", "light");
});
window.addEventListener("afterprint", function () {
  document.documentElement.setAttribute("data-bs-theme", shownTheme);
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

// A slot that the booking form keeps is given back when the form is left otherwise than by sending
// it: before a link is followed, so that the next page shows it free, and when the page goes away.
function giveBack(send) {
  const kept = document.querySelector("[data-release]");
  if (kept) {
    const said = new FormData();
    const form = kept.closest("form");
    said.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    said.set("hold", kept.dataset.hold);
    said.set("leaving", "yes");
    kept.parentElement.replaceChildren();
    return send(kept.dataset.release, said);
  }
}
window.addEventListener("pagehide", function () { giveBack((to, said) => navigator.sendBeacon(to, said)); });
document.addEventListener("submit", function (event) {
  const kept = event.target.querySelector("[data-release]");
  if (kept && !event.defaultPrevented) {
    delete kept.dataset.release;
  }
});
document.addEventListener("click", function (event) {
  const link = event.target.closest("a[href]:not([target], [data-dialog-link], [download])");
  const stays = event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented;
  if (link && !stays && !link.getAttribute("href").startsWith("#")) {
    const given = giveBack((to, body) => fetch(to, { method: "POST", body, keepalive: true }));
    if (given) {
      event.preventDefault();
      given.finally(() => { window.location.href = link.href; });
    }
  }
});

// A fragment that was refused is shown too: it says why.
document.addEventListener("htmx:beforeSwap", function (event) {
  if ([400, 409, 412, 422].includes(event.detail.xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// What asks again by itself rests while nobody looks.
document.addEventListener("htmx:beforeRequest", function (event) {
  if (document.hidden && event.detail.elt.matches("[data-while-visible]")) {
    event.preventDefault();
  }
});

// A box that ticks all boxes of a form on the page; without scripts it stays hidden.
for (const all of document.querySelectorAll("[data-tick-all]:not([data-tick-all=''])")) {
  const ticks = [...document.querySelectorAll(
    'input[name=chosen][form="' + CSS.escape(all.dataset.tickAll) + '"]')];
  const show = function () {
    const ticked = ticks.filter((each) => each.checked).length;
    all.checked = ticked > 0 && ticked === ticks.length;
    all.indeterminate = ticked > 0 && ticked < ticks.length;
  };
  all.closest("label").hidden = ticks.length < 2;
  all.addEventListener("change", () => ticks.forEach((each) => { each.checked = all.checked; }));
  ticks.forEach((each) => each.addEventListener("change", show));
  show();
}
