import fc from 'fast-check';
import { readCsv, writeCsv } from '../../bin/io/csv.js';

test('commas, semicolons, tabs and blanks separate fields; names, comments and empty lines are passed over', () => {
  const want = { data: Float64Array.of(1, -2.5, 3e4, 4), shape: [2, 2] };
  for (const text of [
    '1,-2.5\n3e4,4\n',
    '1; -2.5\r\n3e4; 4',
    '1\t-2.5\n\n3e4\t4',
    '# note\n1  -2.5\n3e4 4',
    'a,b\n1,-2.5\n3e4,4',
    '\uFEFF1,-2.5\n3e4,4',
  ])
    expect(readCsv(text)).toEqual(want);
});

test('a matrix comes back from its text with every bit', () =>
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 20 }), (values) => {
      const matrix = { data: Float64Array.from(values, (v) => (v === 0 ? 0 : v)), shape: [values.length, 1] };
      expect(readCsv(writeCsv(matrix))).toEqual(matrix);
    }),
  ));

test.each([
  ['1,2\n3\n', /line 2, got 1/],
  ['1,2\n3,x\n', /line 2, column 2, got 'x'/],
  ['1,,2\n', /line 1, column 2, got ''/],
  ['', /expected rows of numbers, got none/],
  ['a,b\nc,d\n', /line 2, column 1, got 'c'/],
])('%j is refused with its line', (text, message) => expect(() => readCsv(text, 'x.csv')).toThrow(message));
