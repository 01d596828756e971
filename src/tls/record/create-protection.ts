/** The protection of the negotiated suite, chosen once when keys are set. */
import { aeadReadProtection, aeadWriteProtection } from './aead.js';
import { cbcReadProtection, cbcWriteProtection } from './cbc.js';
import type { ProtectionParameters, ReadProtection, WriteProtection } from './protection.js';
import { streamReadProtection, streamWriteProtection } from './stream.js';

export function createWriteProtection(parameters: ProtectionParameters): WriteProtection {
  const { bulk } = parameters.suite;
  switch (bulk.kind) {
    case 'stream':
      return streamWriteProtection(parameters);
    case 'cbc':
      return cbcWriteProtection(parameters, bulk);
    case 'aead':
      return aeadWriteProtection(parameters, bulk);
  }
}

export function createReadProtection(parameters: ProtectionParameters): ReadProtection {
  const { bulk } = parameters.suite;
  switch (bulk.kind) {
    case 'stream':
      return streamReadProtection(parameters);
    case 'cbc':
      return cbcReadProtection(parameters, bulk);
    case 'aead':
      return aeadReadProtection(parameters, bulk);
  }
}
