// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Worlds and what is done to them, from numbers.

use super::world::{GIVERS, Giver, Makes, NAMES, NOISES, Place, SIGHTS, Sight, World};
use crate::random::Random;
use crate::series::Texts;
use std::collections::BTreeSet;

/// A world, and the states that edits lead through: the first is before all.
pub struct Case {
    pub world: World,
    pub states: Vec<Texts>,
}

const MAKES: [Makes; 3] = [Makes::Event, Makes::Bare, Makes::Nothing];

/// Most edits of one case.
const MOST_EDITS: usize = 3;

/// Each number is a case.
pub fn case(number: u64) -> Case {
    let mut random = Random::of(number);
    let mut world = world(&mut random);
    let mut worlds = vec![world.clone()];
    for _ in 0..1 + random.below(MOST_EDITS) {
        edit(&mut world, &mut random);
        worlds.push(world.clone());
    }
    let mut states: Vec<Texts> = worlds.iter().map(World::files).collect();
    states.dedup();
    let paths: BTreeSet<String> = states.iter().flat_map(|one| one.keys().cloned()).collect();
    for files in &mut states {
        for path in &paths {
            files.entry(path.clone()).or_default();
        }
    }
    Case {
        world: worlds.swap_remove(0),
        states,
    }
}

fn world(random: &mut Random) -> World {
    let giver = random.pick(&GIVERS);
    let sight = if random.one_in(2) {
        Sight::Plain
    } else {
        random.pick(&SIGHTS)
    };
    let mut world = World {
        giver,
        place: random.pick(giver.places()),
        sight,
        makes: random.pick(&MAKES),
        given: !random.one_in(5),
        seen: !random.one_in(5),
        calls: BTreeSet::new(),
        entries: BTreeSet::new(),
        moved: random.one_in(6),
        linked: !random.one_in(5),
        shadowed: random.one_in(4),
        noises: BTreeSet::new(),
    };
    // The tracing core is read anew for each change.
    if world.place == Place::Core && !random.one_in(3) {
        world.place = Place::Header;
    }
    world
        .calls
        .extend((0..random.below(3)).map(|_| random.pick(&NAMES)));
    world
        .entries
        .extend((0..1 + random.below(2)).map(|_| random.pick(&NAMES)));
    if random.one_in(4) {
        world.noises.insert(random.pick(&NOISES));
    }
    world
}

/// Changes something that means something, three times out of four.
fn edit(world: &mut World, random: &mut Random) {
    let toggle = |of: &mut BTreeSet<&'static str>, random: &mut Random| {
        let name = random.pick(&NAMES);
        if !of.remove(name) {
            of.insert(name);
        }
    };
    match random.below(16) {
        0 | 1 => world.given = !world.given,
        2 if world.place == Place::Deep && random.one_in(2) => world.linked = !world.linked,
        2 => world.seen = !world.seen,
        3 | 4 => world.makes = random.pick(&MAKES),
        5 => world.sight = random.pick(&SIGHTS),
        6 => world.moved = !world.moved,
        7 if random.one_in(2) => world.shadowed = !world.shadowed,
        7 => world.place = random.pick(world.giver.places()),
        8..=11 if matches!(world.giver, Giver::List | Giver::Entries | Giver::Name) => {
            toggle(&mut world.entries, random);
        }
        8..=11 => toggle(&mut world.calls, random),
        _ => {
            let noise = random.pick(&NOISES);
            if !world.noises.remove(&noise) {
                world.noises.insert(noise);
            }
        }
    }
}
