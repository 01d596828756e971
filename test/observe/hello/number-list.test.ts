/** Numbers as text are what joining them gives. */
import { array, assert, integer, property } from 'fast-check';
import { test } from 'tap';
import { decimalList, hexList } from '../../../src/observe/hello/number-list.js';

const equal = (found: Buffer, wanted: string): void => {
  if (found.toString() !== wanted) throw new Error(`${found.toString()} is not ${wanted}`);
};

test('decimal and hexadecimal lists are those of join', async () => {
  assert(
    property(array(integer({ min: 0, max: 0xffff })), (values) => {
      equal(decimalList(values), values.join('-'));
      equal(hexList(values, 4), values.map((value) => value.toString(16).padStart(4, '0')).join(','));
    }),
  );
  assert(
    property(array(integer({ min: 0, max: 0xffffff })), (values) => {
      equal(hexList(values, 6, '-'), values.map((value) => value.toString(16).padStart(6, '0')).join('-'));
    }),
  );
});
