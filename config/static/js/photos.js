"use strict";
// Show which instrument each chosen photo belongs to, by the names of the files alone.
for (const form of document.querySelectorAll("[data-photos]")) {
  const files = form.querySelector("input[type=file]");
  const shown = document.getElementById("matched");
  const check = async () => {
    const asked = new FormData();
    asked.set("check", "1");
    asked.set("organisation", form.elements.organisation.value);
    asked.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    for (const file of files.files) asked.append("names", file.name);
    const answer = await fetch(form.dataset.check, {method: "POST", body: asked});
    if (answer.ok) shown.innerHTML = await answer.text();
  };
  files.addEventListener("change", check);
  form.elements.organisation.addEventListener("change", check);
}
