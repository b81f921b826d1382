// Before the page is drawn, so that nothing changes before the reader's eyes: the theme they chose,
// else the one their system asks for, and whether calendars are shown as such or as a list.
(function () {
  "use strict";
  document.documentElement.classList.add("has-js");
  var chosen = null, shown = null;
  try {
    chosen = localStorage.getItem("theme");
    shown = localStorage.getItem("calendar-tab");
  } catch (error) { /* storage may be closed */ }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", chosen || (dark ? "dark" : "light"));
  var small = window.matchMedia && window.matchMedia("(max-width: 575px)").matches;
  document.documentElement.setAttribute("data-shown", shown || (small ? "list" : "calendar"));
})();
