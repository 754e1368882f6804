// Where planes lie in a study. A point is a voxel [x, y, z]: x from the patient's right, y from the front, z from the head.

export const PLANES = {
  axial: { axis: 2, across: 0, down: 1, sides: ["R", "L", "A", "P"] },
  coronal: { axis: 1, across: 0, down: 2, sides: ["R", "L", "H", "F"] },
  sagittal: { axis: 0, across: 1, down: 2, sides: ["A", "P", "H", "F"] },
};

// Voxels and millimetres of a study along x, y, z (the server tells them as z, y, x).
export const counts = (study) => [study.shape[2], study.shape[1], study.shape[0]];
export const steps = (study) => [study.spacing[2], study.spacing[1], study.spacing[0]];

// Columns, rows, millimetres per column and row, and how many planes there are.
export function layout(study, plane) {
  const { axis, across, down } = PLANES[plane];
  const n = counts(study);
  const mm = steps(study);
  return { columns: n[across], rows: n[down], wide: mm[across], high: mm[down], planes: n[axis], step: mm[axis] };
}

export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

export function inside(study, point) {
  const n = counts(study);
  return point.map((value, axis) => clamp(Math.round(value), 0, n[axis] - 1));
}

// A point of a plane, given as column and row.
export function voxel(study, plane, index, column, row) {
  const { axis, across, down } = PLANES[plane];
  const point = [0, 0, 0];
  point[axis] = index;
  point[across] = Math.floor(column);
  point[down] = Math.floor(row);
  return inside(study, point);
}

// First and last voxel of a mark's box along x, y, z.
export const spans = (lesion) => [lesion.box.x, lesion.box.y, lesion.box.z];
export const middle = (lesion) => spans(lesion).map(([low, high]) => Math.round((low + high) / 2));
