/** What a host does for the engine with a private key it holds, on whatever thread it likes. */
import { constants, privateDecrypt, sign, type KeyObject } from 'node:crypto';
import type { DecryptOperation, PrivateKeyOperation } from './server-parameters.js';

/**
 * @returns the signature (ECDSA in DER), or the raw decrypted block
 * @throws what node:crypto throws for a key that does not fit the operation
 */
export function performPrivateKeyOperation(operation: PrivateKeyOperation, key: KeyObject): Buffer {
  if (operation.kind === 'decrypt') return decryptWithoutPadding(operation, key);
  return sign(operation.hash, operation.data, key);
}

/**
 * A ciphertext that is no number below the modulus is public knowledge of whoever sent it; the answer is a block that
 * no unpadding accepts, so that what follows is the same as for any other bad ciphertext (RFC 5246, 7.4.7.1).
 */
function decryptWithoutPadding(operation: DecryptOperation, key: KeyObject): Buffer {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, operation.ciphertext);
  } catch {
    return Buffer.alloc(operation.credential.modulusLength);
  }
}
