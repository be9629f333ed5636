// Strips whole-line comments, blank lines and indentation from Lua. A line that begins inside a string or
// a long bracket is text and stays as it is.

/** What a piece of Lua that must not be read as code looks like: comments, long brackets, quoted strings. */
export const opaque = /--\[(=*)\[[\s\S]*?\]\1\]|--.*|\[(=*)\[[\s\S]*?\]\2\]|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'/g;

export function minifyLua(source) {
  const text = source.replace(/\r\n/g, '\n');
  const isText = linesInsideStrings(text);
  return withoutLongCommentLines(text)
    .split('\n')
    .map((line, number) => (isText.has(number) ? line : line.trim()))
    .filter((line, number) => isText.has(number) || (line !== '' && !isComment(line)))
    .join('\n');
}

const isComment = (line) => line.startsWith('--') && !/^--\[=*\[/.test(line);

/** The numbers of the lines whose beginning lies inside a string: all but the first of each string's lines. */
function linesInsideStrings(text) {
  const inside = new Set();
  for (const match of text.matchAll(opaque)) {
    if (match[0].startsWith('--')) continue;
    const first = countLines(text.slice(0, match.index));
    for (let line = 1; line <= countLines(match[0]); line++) inside.add(first + line);
  }
  return inside;
}

/** Empties long comments that have their lines to themselves, and keeps the line count. */
function withoutLongCommentLines(text) {
  return text.replace(opaque, (match, _level, _level2, index) => {
    if (!/^--\[=*\[/.test(match)) return match;
    const before = text.slice(text.lastIndexOf('\n', index - 1) + 1, index);
    const after = /^.*/.exec(text.slice(index + match.length))[0];
    return before.trim() === '' && after.trim() === '' ? '\n'.repeat(countLines(match)) : match;
  });
}

const countLines = (text) => text.split('\n').length - 1;
