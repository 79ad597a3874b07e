// SPDX-License-Identifier: Apache-2.0

/// The time as bytes: decimal or binary, 12 or 24 hours; and the alarm.
extension MC146818 {
    private static var day: UInt64 { 86_400 }

    private var isBinary: Bool { b & ControlB.binary != 0 }
    private var is24Hours: Bool { b & ControlB.hours24 != 0 }

    private func encode(_ value: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: isBinary ? value : (value / 10) << 4 | value % 10)
    }

    /// A byte's number; a decimal one may have digits above 9, which count as what they are.
    private func decode(_ byte: UInt8) -> UInt64 {
        isBinary ? UInt64(byte) : UInt64(byte >> 4) * 10 + UInt64(byte & 15)
    }

    /// Bit 7 is the afternoon's, and twelve comes first.
    private func encodeHour(_ hour: UInt64) -> UInt8 {
        if is24Hours { return encode(hour) }
        return encode((hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0)
    }

    private func decodeHour(_ byte: UInt8) -> UInt64 {
        if is24Hours { return decode(byte) }
        return decode(byte & 0x7F) % 12 + (byte & 0x80 != 0 ? 12 : 0)
    }

    /// Writes the time to its bytes.
    func showTime() {
        let seconds = time / Self.second
        let date = CivilDate(days: seconds / Self.day)
        let clock = seconds % Self.day
        state.bytes[0] = encode(clock % 60)
        state.bytes[2] = encode(clock / 60 % 60)
        state.bytes[4] = encodeHour(clock / 3600)
        // 1970-01-01 was a Thursday.
        state.bytes[6] = encode((seconds / Self.day + 4) % 7 + 1)
        state.bytes[7] = encode(date.day)
        state.bytes[8] = encode(date.month)
        state.bytes[9] = encode(date.year % 100)
        state.bytes[Register.century] = encode(date.year / 100)
    }

    /// Takes the time from its bytes, `fraction` nanoseconds into the second. What is no date counts on from the last
    /// one that is; before 1970 is 1970.
    func takeTime(fraction: UInt64) {
        let year = decode(state.bytes[Register.century]) * 100 + decode(state.bytes[9])
        let days = CivilDate.days(year: year, month: decode(state.bytes[8]), day: decode(state.bytes[7]))
        let clock = decodeHour(state.bytes[4]) * 3600 + decode(state.bytes[2]) * 60 + decode(state.bytes[0])
        time = (days * Self.day + clock) &* Self.second &+ fraction
        state.seenTime = time
    }

    /// The first second after `second` that the alarm names, within a day; nil if it names none.
    func nextAlarm(after second: UInt64) -> UInt64? {
        let start = second + 1
        let midnight = start - start % Self.day
        let hours = parts(state.bytes[5], below: 24, decodeHour)
        let minutes = parts(state.bytes[3], below: 60, decode)
        let seconds = parts(state.bytes[1], below: 60, decode)
        guard let hours, let minutes, let seconds else { return nil }
        // The first of each part on or after now, and carries where the finer parts have passed.
        for day in [midnight, midnight + Self.day] {
            for hour in hours {
                let from = day + hour * 3600
                guard from + 3600 > start else { continue }
                for minute in minutes {
                    let from = from + minute * 60
                    guard from + 60 > start else { continue }
                    if seconds.count == 1 {
                        if from + seconds.lowerBound >= start { return from + seconds.lowerBound }
                    } else {
                        return max(from, start)
                    }
                }
            }
        }
        return nil
    }

    /// What an alarm's byte names: one number, any, or none that there is.
    private func parts(
        _ byte: UInt8, below limit: UInt64, _ decode: (UInt8) -> UInt64
    ) -> Range<UInt64>? {
        if byte & 0xC0 == 0xC0 { return 0..<limit }
        let value = decode(byte)
        return value < limit ? value..<value + 1 : nil
    }
}

/// A date of the Gregorian calendar, from 1970 on.
struct CivilDate: Equatable {
    let year: UInt64
    let month: UInt64
    let day: UInt64

    /// Days of 400 years, which all have the same number.
    private static var era: UInt64 { 146_097 }
    /// From 0000-03-01 to 1970-01-01.
    private static var epoch: UInt64 { 719_468 }

    /// The date `days` after 1970-01-01. Years begin in March here, so that the leap day is the last one.
    init(days: UInt64) {
        let shifted = days + Self.epoch
        let inEra = shifted % Self.era
        let yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
        let dayOfYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = shifted / Self.era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// Days from 1970-01-01 to a date; 0 before. Months and days past their end count on.
    static func days(year: UInt64, month: UInt64, day: UInt64) -> UInt64 {
        let months = year * 12 + (max(month, 1) - 1)
        // March is the first month of a year that ends with February.
        let shifted = months + 10
        let (shiftedYear, shiftedMonth) = (shifted / 12, shifted % 12)
        guard shiftedYear > 0 else { return 0 }
        let past = shiftedYear - 1
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + max(day, 1) - 1
        let total = past * 365 + past / 4 - past / 100 + past / 400 + dayOfYear
        return total >= epoch ? total - epoch : 0
    }
}
