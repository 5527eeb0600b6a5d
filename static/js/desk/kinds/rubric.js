// Criteria of a rubric, for each response or for the pair. An answer names the version of the rubric that it was given
// under: where the rubric has changed since, what still fits is filled in, and the person is told to look again.
import { Rows } from "../rows.js";

export function mount(form, desk) {
  const rows = new Rows(form, desk);
  const { version } = desk.item.rubric;
  return {
    draft: () => ({ criteria: rows.values, rubric_version: version, ...rows.rest }),

    read() {
      const rest = rows.readRest();
      return rest && { criteria: rows.values, rubric_version: version, ...rest };
    },

    fill({ criteria, rubric_version: given = version, ...rest }) {
      rows.values = criteria;
      rows.fillRest(rest);
      if (given !== version) desk.tell(`The rubric changed since you began: version ${version} is in force, and your answers are from version ${given}. Look at every row again.`, { kind: "draft" });
    },

    missing: () => rows.missing(),
    act: (name) => rows.act(name),
    questions: () => rows.questions(),
  };
}
