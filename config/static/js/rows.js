// Forms with rows: one more, empty, with names and ids of its own. Without scripts there are
// spare rows, and more of them after each time the form is sent.
"use strict";

// Of the spare rows one is enough where there is a button for more.
for (const rows of document.querySelectorAll("[data-rows]")) {
  const isBlank = (row) => [...row.querySelectorAll("input")].every(
    (input) => (input.type === "checkbox" ? !input.checked : !input.value));
  const count = document.querySelector('input[name="' + rows.dataset.rows + '_rows"]');
  while (rows.children.length > 1 && [...rows.children].slice(-2).every(isBlank)
    && !rows.querySelector(".is-invalid")) {
    rows.lastElementChild.remove();
    count.value = rows.children.length;
  }
}

document.addEventListener("click", function (event) {
  const button = event.target.closest("[data-add-row]");
  if (!button) {
    return;
  }
  const kind = button.dataset.addRow;
  const rows = document.querySelector('[data-rows="' + kind + '"]');
  const count = rows.children.length;
  if (count >= Number(rows.dataset.most)) {
    return;
  }
  const row = rows.lastElementChild.cloneNode(true);
  const from = kind + "_" + (count - 1) + "_";
  const to = kind + "_" + count + "_";
  for (const place of [row, ...row.querySelectorAll("*")]) {
    for (const attribute of ["id", "for", "name", "aria-describedby"]) {
      const value = place.getAttribute(attribute);
      if (value) {
        place.setAttribute(attribute, value.replaceAll(from, to));
      }
    }
    place.removeAttribute("aria-invalid");
    place.classList.remove("is-invalid");
    if (place.matches("input[type=checkbox]")) {
      place.checked = false;
      place.removeAttribute("checked");
    } else if (place.matches("select")) {
      place.selectedIndex = 0;
    } else if (place.matches("input")) {
      place.value = "";
      place.removeAttribute("value");
    }
  }
  for (const error of row.querySelectorAll(".invalid-feedback")) {
    error.remove();
  }
  const legend = row.querySelector("legend");
  if (legend) {
    legend.textContent = legend.textContent.replace(String(count), String(count + 1));
  }
  rows.append(row);
  document.querySelector('input[name="' + kind + '_rows"]').value = count + 1;
  row.querySelector("input, select").focus();
});
