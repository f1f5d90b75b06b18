"""The widget's JavaScript in a real browser, before a stand-in for the notebook: fields, answers, layout."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

import photosim as ps
from photosim.widgets import Sliders
from photosim.widgets.widget import FOLDER

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here: install the package chromium"
)
PAGE = """
<style>%(css)s</style><div id="place" style="width: 868px"></div>
<script>
%(js)s
const state = %(state)s, told = [];
const model = {
  get: (name) => state[name],
  set: (name, value) => {
    state[name] = value;
    for (const [event, tell] of [...told]) if (event === `change:${name}`) tell();
  },
  on: (event, tell) => { told.push([event, tell]); },
  off: (event, tell) => { told.splice(told.findIndex((one) => one[0] === event && one[1] === tell), 1); },
  save_changes: () => { asked(state.question); },
};
window.answer = (spectrum) => { model.set("spectrum", spectrum); };
window.another = (id) => {
  const el = document.createElement("div");
  el.id = id;
  document.body.append(el);
  return render({ model, el });
};
// A notebook that takes the Enter key, as JupyterLab does.
document.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
render({ model, el: document.getElementById("place") });
</script>
"""


@pytest.fixture
def page() -> Iterator[Any]:
    """A page with the widget of a ring; Python answers its questions as in a notebook."""
    with playwright.sync_playwright() as running:
        try:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except playwright.Error as error:  # a Chromium that lacks something of this machine
            pytest.skip(f"Chromium does not start here: {str(error).splitlines()[0]}")
        one = browser.new_page()
        ring = Sliders(ps.load("add_drop_ring"), ["ring.radius", "ring.coupling"], "1.548:1.554:101")
        one.questions, one.sliders = [], ring

        def asked(question: Any) -> None:
            one.questions.append(question)

        one.expose_function("asked", asked)
        js = (FOLDER / "spectrum.js").read_text(encoding="utf-8")
        js = js.replace("export default { render };", "").replace("export function", "function")
        state = {"title": "ring", "sliders": ring.plain(), "spectrum": ring.answer({"number": 0})}
        css = (FOLDER / "spectrum.css").read_text(encoding="utf-8")
        one.set_content(PAGE % {"css": css, "js": js, "state": json.dumps(state)})
        yield one
        browser.close()


def answered(page: Any) -> str:
    """Answer the newest question of the page, and return the error that the page shows then."""
    page.wait_for_function("() => true")
    page.evaluate("spectrum => answer(spectrum)", page.sliders.answer(page.questions[-1]))
    return str(page.locator(".error").first.inner_text())


def test_a_value_is_taken_at_enter_and_refused_in_a_sentence(page: Any) -> None:
    field = page.get_by_label("ring.coupling, as a number")
    field.fill("0.1")
    field.press("Enter")
    assert answered(page) == ""
    assert page.questions[-1]["values"]["ring.coupling"] == 0.1
    assert page.get_by_label("ring.coupling", exact=True).input_value() == "0.1"
    field.fill("3")
    field.press("Enter")
    assert "must be 0 to 1" in answered(page)
    field.fill("0.05")
    field.press("Tab")
    assert answered(page) == ""
    assert len(page.questions) == 3  # one question a value, though Enter is followed by a change


def test_fields_do_not_cover_the_picture(page: Any) -> None:
    ends = page.evaluate(
        "() => [...document.querySelectorAll('.knobs > *')].map((x) => x.getBoundingClientRect().right)"
    )
    left = page.evaluate("() => document.querySelector('.picture').getBoundingClientRect().left")
    assert max(ends) <= left


def test_views_of_one_widget_move_together(page: Any) -> None:
    def field(view: str, name: str = "ring.coupling, as a number") -> Any:
        return page.locator(f"#{view}").get_by_label(name, exact=True)

    page.evaluate("() => { window.close_second = another('second'); }")
    field("place").fill("0.1")
    field("place").press("Enter")
    assert field("second").input_value() == "0.1"
    field("second").fill("0.2")  # while the question of the other view is on its way
    field("second").press("Enter")
    assert field("place").input_value() == "0.2"
    assert field("place", "ring.coupling").input_value() == "0.2"
    assert answered(page) == ""
    field("place", "ring.radius, as a number").fill("10.1")
    field("place", "ring.radius, as a number").press("Enter")
    assert page.questions[-1]["values"] == {"ring.radius": 10.1, "ring.coupling": 0.2}
    assert answered(page) == ""
    page.evaluate("() => { another('third'); close_second(); }")
    assert field("third").input_value() == "0.2"
    field("third").fill("0.3")
    field("third").press("Enter")
    assert (field("place").input_value(), field("second").input_value()) == ("0.3", "0.2")
