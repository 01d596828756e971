/** What a host does for the engine with a private key it holds, on whatever thread it likes. */
import { constants, privateDecrypt, sign, type KeyObject } from 'node:crypto';
import type { PrivateKeyOperation } from './server-parameters.js';

/**
 * @returns the signature (ECDSA in DER), or the raw decrypted block
 * @throws what node:crypto throws for a key that does not fit the operation
 */
export function performPrivateKeyOperation(operation: PrivateKeyOperation, key: KeyObject): Buffer {
  if (operation.kind === 'sign') return sign(operation.hash, operation.data, key);
  return decryptWithoutPadding(key, operation.ciphertext, operation.credential.modulusLength);
}

/**
 * Its sender knows that a ciphertext is not below the modulus, so this is no secret; the answer is a block that
 * no unpadding accepts, so that what follows is the same as for any other bad ciphertext (RFC 5246, 7.4.7.1).
 * @param modulusLength bytes, which is what the result has
 */
export function decryptWithoutPadding(key: KeyObject, ciphertext: Uint8Array, modulusLength: number): Buffer {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext);
  } catch {
    return Buffer.alloc(modulusLength);
  }
}
