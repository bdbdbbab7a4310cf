/** Programs that are smaller by one step: what is tried to make a failing program readable. @module */

/** Every program that is `program` without one op, with an op's block in its place, or without what nobody uses. */
export function* smallerPrograms(program) {
  if (program.eager === true) {
    const { eager: _, ...lazy } = program;
    yield lazy;
  }
  for (const main of smallerBlocks(program.main)) yield { ...program, main };
  for (const [name, block] of Object.entries(program.coros)) {
    for (const smaller of smallerBlocks(block)) yield { ...program, coros: { ...program.coros, [name]: smaller } };
    const { [name]: _, ...rest } = program.coros;
    if (!JSON.stringify([program.main, rest]).includes(`"${name}"`)) yield { ...program, coros: rest };
  }
}

function* smallerBlocks(block) {
  for (const [i, op] of block.entries()) {
    const [before, after] = [block.slice(0, i), block.slice(i + 1)];
    yield [...before, ...after];
    for (const smaller of smallerOps(op)) yield [...before, smaller, ...after];
    for (const inner of op.filter(isBlock)) yield [...before, ...inner, ...after];
  }
}

function* smallerOps(op) {
  for (const [i, part] of op.entries()) {
    for (const smaller of smallerParts(part)) yield op.with(i, smaller);
  }
}

function* smallerParts(part) {
  if (isBlock(part)) {
    yield* smallerBlocks(part);
  } else if (Array.isArray(part)) {
    for (const i of part.keys()) yield part.toSpliced(i, 1);
  } else if (typeof part === "object" && part !== null) {
    for (const [key, value] of Object.entries(part)) {
      const { [key]: _, ...rest } = part;
      yield rest;
      for (const smaller of isBlock(value) ? smallerBlocks(value) : []) yield { ...part, [key]: smaller };
    }
  }
}

/** A list of ops, and no list of names. */
function isBlock(part) {
  return Array.isArray(part) && part.length > 0 && part.every((item) => Array.isArray(item));
}
